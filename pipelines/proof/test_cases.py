"""What a test report comes down to: cases with an id and an outcome. Pure; knows no report's format."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

MAX_CASES = 200_000
"""Of one report; more is no suite but an attack on memory."""
MAX_DETAIL = 8_000
"""Characters of a failure's detail that are kept from its begin, and from its end."""
MAX_LISTED = 50
"""Ids that a report to the receiver lists."""


class CaseOutcome(StrEnum):
    """How a test case ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


class Case(Struct, frozen=True, kw_only=True):
    """One test case."""

    id: str
    outcome: CaseOutcome
    message: str = ""
    detail: str = ""
    """All that the report says of a failure, such as its stack."""
    seconds: float = 0.0


def case(
    where: str,
    name: str,
    outcome: CaseOutcome,
    *,
    message: str = "",
    detail: str = "",
    seconds: str | None = None,
) -> Case:
    """Return a case; what is too long is cut, of a detail the middle."""
    name = name or "?"
    return Case(
        id=f"{where}::{name}"[:300] if where else name[:300],
        outcome=outcome,
        message=message[:2000],
        detail=detail if len(detail) <= 2 * MAX_DETAIL else f"{detail[:MAX_DETAIL]}\n{detail[-MAX_DETAIL:]}",
        seconds=_seconds(seconds),
    )


def count(cases: Iterable[Case], outcome: CaseOutcome) -> int:
    """Return how many cases ended so."""
    return sum(one.outcome is outcome for one in cases)


_WORST = (CaseOutcome.FAILED, CaseOutcome.ERROR, CaseOutcome.PASSED, CaseOutcome.SKIPPED)


def by_id(cases: Iterable[Case]) -> dict[str, CaseOutcome]:
    """Return the outcome of each id; of an id that is there more than once, the worst."""
    found: dict[str, CaseOutcome] = {}
    for one in cases:
        found[one.id] = min(found.get(one.id, one.outcome), one.outcome, key=_WORST.index)
    return found


def failing(cases: Iterable[Case]) -> tuple[str, ...]:
    """Return the ids of failing cases, sorted, as many as are listed."""
    return listed(one.id for one in cases if one.outcome in {CaseOutcome.FAILED, CaseOutcome.ERROR})


def listed(ids: Iterable[str]) -> tuple[str, ...]:
    """Return ids as a report to the receiver has them: each once, sorted, not too many."""
    return tuple(sorted(set(ids))[:MAX_LISTED])


def _seconds(raw: str | None) -> float:
    """Read `1,000.5` as JUnit reports have it, and `00:00:01.25` as TRX does."""
    try:
        value = 0.0
        for part in (raw or "0").replace(",", "").split(":"):
            value = 60 * value + float(part)
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e7 else 0.0
