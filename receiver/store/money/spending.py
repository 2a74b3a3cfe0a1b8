"""Tokens and money of a run, added up by phase and in all. Pure. Unknown stays unknown, and the known part is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from msgspec import Struct

from receiver.store.schema import UsageRow


class Cost(Struct, frozen=True, kw_only=True):
    """What some calls used and cost. The five counts of tokens are disjoint."""

    calls: int
    uncached: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    output: int
    cost_usd: Decimal | None
    """None as soon as the cost of one call is unknown."""
    known_usd: Decimal
    """What is known of it."""
    unsettled: int
    """Calls under way, or whose answer never arrived whole."""
    unpriced: int
    """Calls whose cost is unknown: those, and those whose answer names a price modifier that is not known."""
    held_usd: Decimal
    """Reserved for the unpriced ones: their worst case."""


class Part(Struct, frozen=True, kw_only=True):
    """One phase of one iteration in one repository."""

    iteration: int
    phase: str
    repository: str | None
    agent: str | None
    cost: Cost


class Costs(Struct, frozen=True, kw_only=True):
    """In all, by phase, by purpose and in parts. Each way adds up to the total."""

    total: Cost
    by_phase: dict[str, Cost]
    """In the order of the first call."""
    by_purpose: dict[str, Cost]
    """`context` and `work`."""
    parts: tuple[Part, ...]
    budget_usd: Decimal | None
    """The run's; None before it was admitted."""


def costs(rows: Sequence[UsageRow], *, budget_usd: Decimal | None) -> Costs:
    """Add up usage rows that are in the order of their calls."""
    parts = _grouped(rows, lambda row: (row.iteration, row.phase, row.repository, row.agent))
    return Costs(
        total=_cost(rows),
        by_phase={phase: _cost(group) for phase, group in _grouped(rows, lambda row: row.phase).items()},
        by_purpose={purpose: _cost(group) for purpose, group in _grouped(rows, lambda row: row.purpose).items()},
        parts=tuple(
            Part(iteration=iteration, phase=phase, repository=repository, agent=agent, cost=_cost(group))
            for (iteration, phase, repository, agent), group in parts.items()
        ),
        budget_usd=budget_usd,
    )


Key = TypeVar("Key")


def _grouped(rows: Iterable[UsageRow], key: Callable[[UsageRow], Key]) -> dict[Key, list[UsageRow]]:
    groups: dict[Key, list[UsageRow]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _cost(rows: Iterable[UsageRow]) -> Cost:
    billed = [row for row in rows if row.state != "released"]
    settled = [row for row in billed if row.state == "settled"]
    known = [row.cost_usd for row in settled if row.cost_usd is not None]
    unpriced = [row for row in billed if row.state != "settled" or row.cost_usd is None]
    total = sum(known, Decimal(0))
    return Cost(
        calls=len(billed),
        uncached=sum(row.uncached_tokens or 0 for row in settled),
        cache_read=sum(row.cache_read_tokens or 0 for row in settled),
        cache_write_5m=sum(row.cache_write_5m_tokens or 0 for row in settled),
        cache_write_1h=sum(row.cache_write_1h_tokens or 0 for row in settled),
        output=sum(row.output_tokens or 0 for row in settled),
        cost_usd=None if unpriced else total,
        known_usd=total,
        unsettled=len(billed) - len(settled),
        unpriced=len(unpriced),
        held_usd=sum((row.reserved_usd for row in unpriced), Decimal(0)),
    )
