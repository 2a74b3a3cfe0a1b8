"""Whether a run's and a day's budget can fund something, and by how much not. Sentences and one query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal
from typing import Final

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import Phase, RunId

_CENT: Final = Decimal("0.01")


class Funds(Struct, frozen=True, kw_only=True):
    """Limits and what is already spent or held, for calls and for phases at work, in US dollars."""

    run_budget: Decimal
    run_held: Decimal
    day_budget: Decimal
    day_held: Decimal

    def shortfall(self, amount: Decimal, what: str, *, cost: str) -> str | None:
        """Return a sentence when the amount can't be funded: for `what`, which costs it as `cost` says."""
        for name, budget, held in (
            ("run", self.run_budget, self.run_held),
            ("day", self.day_budget, self.day_held),
        ):
            missing = held + amount - budget
            if missing > 0:
                more = missing.quantize(_CENT, rounding=ROUND_UP)
                return (
                    f"The {name}'s budget of ${budget:.2f} can't fund {what}: ${held:.4f} is spent or held, "
                    f"and it {cost} ${amount:.4f}, so ${more} is missing. {_CURES[name].format(more=more)}"
                )
        return None


_CURES: Final = {
    "run": "Say `/bug-fix budget +{more}`, then `/bug-fix retry`.",
    "day": "Raise policy.budget_usd.day in bug-fix.yml by ${more} or wait for midnight UTC, then say `/bug-fix retry`.",
}

OF_CALL: Final = "may cost up to"
OF_USUAL: Final = "usually costs"


def midnight(now: datetime) -> datetime:
    """Return when the day of budgets began."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


_HELD: Final = text("""
    SELECT (SELECT coalesce(sum(coalesce(u.cost_usd, u.reserved_usd)), 0) FROM usage AS u
             WHERE u.state <> 'released' AND u.run_id = :run) AS run_held,
           (SELECT coalesce(sum(coalesce(u.cost_usd, u.reserved_usd)), 0) FROM usage AS u
             WHERE u.state <> 'released' AND u.reserved_at >= :midnight)
           + (SELECT coalesce(sum(k.rest), 0) FROM kept_for_phases(NULL, :now) AS k WHERE k.run_id <> :run) AS day_held
""")


async def read(session: AsyncSession, run: RunId, *, run_budget: Decimal, day_budget: Decimal, now: datetime) -> Funds:
    """Return what is left for a run that has no phase at work, beside what others hold."""
    held = (await session.execute(_HELD, {"run": run, "midnight": midnight(now), "now": now})).one()
    return Funds(run_budget=run_budget, run_held=held.run_held, day_budget=day_budget, day_held=held.day_held)


def passes(*, repositories: int, is_planned: bool, is_reviewed: bool, reused: Counter[Phase]) -> dict[Phase, int]:
    """Return how often an attempt goes through each phase that calls a model, without what it reuses."""
    each = max(repositories, 1)
    wanted = {
        Phase.ANALYSIS: 0 if is_planned else 1,
        Phase.REPRODUCTION: each,
        Phase.IMPLEMENTATION: each,
        Phase.REVIEW: each if is_reviewed else 0,
    }
    return {phase: max(count - reused[phase], 0) for phase, count in wanted.items()}


async def of_attempt(session: AsyncSession, passes: Mapping[Phase, int], *, now: datetime) -> Decimal:
    """Return what an attempt usually costs that goes so often through phases; those of unknown cost count nothing."""
    total = Decimal(0)
    for phase, count in passes.items():
        usual = await usual_cost(session, phase, now=now)
        total += count * (usual or Decimal(0))
    return total


async def usual_cost(session: AsyncSession, phase: Phase, *, now: datetime) -> Decimal | None:
    """Return the mean cost of one pass of a phase through a repository lately; None where no cost is known."""
    mean: Decimal | None = await session.scalar(
        text("SELECT usual_cost(:phase, :now)"), {"phase": phase.value, "now": now}
    )
    return None if mean is None else mean.quantize(Decimal("0.0001"))
