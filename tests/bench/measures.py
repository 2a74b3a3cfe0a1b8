"""The six measures, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from tests.bench import dispatch, gateway, generation, ingest, silence, whole_run
from tests.bench.figures import Measured
from tests.bench.plan import Plan, Tell


class Measure(Struct, frozen=True, kw_only=True):
    """One of them."""

    name: str
    title: str
    run: Callable[[Plan, Tell], Measured]


MEASURES = (
    Measure(name="hooks", title="Signed hooks durably accepted, at 32 connections", run=ingest.measure),
    Measure(name="dispatch", title="Hook accepted → pipeline request at GitLab", run=dispatch.measure),
    Measure(name="generate", title="Generating a child pipeline, in process", run=generation.measure),
    Measure(name="run", title="A whole run, less tests and model turns", run=whole_run.measure),
    Measure(name="gateway", title="What the gateway adds to a model call", run=gateway.measure),
    Measure(name="silence", title="Signed hooks beside 1,005 connections that say nothing", run=silence.measure),
)
