"""Events of a run, its effects, and interventions by people."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Moment(Struct, frozen=True, kw_only=True):
    """An event and the decision about it."""

    at: datetime
    event: str
    verdict: str
    reason: str
    status_before: str | None
    status_after: str | None
    delivery: int | None
    effect: int | None


class Act(Struct, frozen=True, kw_only=True):
    """An effect and its outcome."""

    id: int
    kind: str
    name: str
    """Display name."""
    payload: dict[str, object]
    state: str
    attempts: int
    created_at: datetime
    performed_at: datetime | None
    last_error: str | None
    result: dict[str, object] | None
    """Its answer, for display only."""
    remark: str = ""
    """A sentence for people about the outcome; empty: nothing unusual."""
    wanted_by: int | None
    """Id of the decision that wanted it; None: the sweep did."""


class Intervention(Struct, frozen=True, kw_only=True):
    """Work that a person had to do for the run."""

    at: datetime
    kind: str
    actor: str
    detail: str
