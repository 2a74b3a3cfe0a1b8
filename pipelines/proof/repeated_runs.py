"""In which order a reproduction runs on the code before and after a change, and what its runs say together. Pure.

A test that knows which run is which can report what it likes. What it finds around it is the same each time; the order
is drawn, so one that only counts, or reads the clock, has to guess it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import permutations, product
from typing import Final

from msgspec import Struct

from pipelines.proof.reproduction_verdict import ReproductionVerdict


class Side(StrEnum):
    """Which code a run has."""

    BEFORE = "before"
    AFTER = "after"


RUNS: Final = 3
"""Of one reproduction, on both sides together: a test that knows its place in the order is right once in six times."""


class RunPlan(Struct, frozen=True, kw_only=True):
    """In which order what happens."""

    prepared: tuple[Side, ...]
    """Which side is checked out and installed first."""
    order: tuple[Side, ...]
    """Of the runs."""


PLANS: Final = tuple(
    RunPlan(prepared=prepared, order=order)
    for prepared in permutations(Side)
    for order in product(Side, repeat=RUNS)
    if len(set(order)) == len(Side)
)
"""From which one is drawn, all alike."""


def together(verdicts: Sequence[ReproductionVerdict]) -> ReproductionVerdict:
    """Return what all runs on the same code say; where they differ they say nothing."""
    against = next((one for one in verdicts if not one.holds), None)
    if against is None:
        return verdicts[0]
    if any(one.holds for one in verdicts):
        reason = f"It does not end alike each time it runs on the same code: {against.reason}"
        return ReproductionVerdict(holds=False, reason=reason)
    return against
