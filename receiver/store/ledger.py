"""The ledger: money is reserved before a model call, settled after it, or held and marked unknown. Exact Decimals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct
from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.model import RunId
from receiver.gateway.pricing import Price, Usage
from receiver.store.database import lock
from receiver.store.schema import PriceRow, UsageRow
from receiver.store.schema.base import Json
from receiver.store.sessions import JobSession


class Reservation(Struct, frozen=True, kw_only=True):
    """A call that is about to be made."""

    call_id: str
    session: JobSession
    agent: str | None
    purpose: str
    model: str
    streamed: bool
    amount: Decimal
    """US dollars that it can cost at most."""
    at: datetime


class Funds(Struct, frozen=True, kw_only=True):
    """Limits and what is already spent or held, in US dollars."""

    run_budget: Decimal
    run_held: Decimal
    day_budget: Decimal
    day_held: Decimal

    def shortfall(self, amount: Decimal) -> str | None:
        """Return a sentence when the amount can't be funded."""
        for name, budget, held in (
            ("run", self.run_budget, self.run_held),
            ("day", self.day_budget, self.day_held),
        ):
            if held + amount > budget:
                return (
                    f"The {name}'s budget of ${budget:.2f} can't fund this call: ${held:.4f} is spent or held, "
                    f"and it may cost up to ${amount:.4f}. Raise policy.budget_usd.{name} in bug-fix.yml and set the "
                    "label again."
                )
        return None


class Settlement(Struct, frozen=True, kw_only=True):
    """What a call turned out to be."""

    usage: Usage
    raw: Json
    price: Price | None
    cost_usd: Decimal | None
    """None: the price is unknown."""
    request_id: str | None
    message_id: str | None
    stop_reason: str | None
    http_status: int
    at: datetime


class End(Struct, frozen=True, kw_only=True):
    """How a call ended without a usage."""

    error: str
    status: int | None
    """HTTP status, None without an answer."""
    request_id: str | None
    at: datetime


async def prices(session: AsyncSession, model: str) -> tuple[Price, ...]:
    """Return all price rows of a model."""
    rows = await session.scalars(select(PriceRow).where(PriceRow.model == model))
    return tuple(
        Price(
            id=row.id,
            model=row.model,
            valid_from=row.valid_from,
            above_tokens=row.above_tokens,
            input=row.input,
            output=row.output,
            cache_write_5m=row.cache_write_5m,
            cache_write_1h=row.cache_write_1h,
            cache_read=row.cache_read,
        )
        for row in rows
    )


async def reserve(
    session: AsyncSession, reservation: Reservation, *, run_budget: Decimal, day_budget: Decimal
) -> str | None:
    """Hold the money of a call; return a sentence instead when run or day can't fund it.

    Reservations are made one after the other, so that calls at the same time can't spend the same dollar.
    """
    await lock(session, "budget")
    held = case((UsageRow.cost_usd.is_not(None), UsageRow.cost_usd), else_=UsageRow.reserved_usd)
    total = func.coalesce(func.sum(held), 0)
    counted = UsageRow.state != "released"
    midnight = reservation.at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    of_run = await session.scalar(select(total).where(counted, UsageRow.run_id == reservation.session.run))
    of_day = await session.scalar(select(total).where(counted, UsageRow.reserved_at >= midnight))
    funds = Funds(
        run_budget=run_budget, run_held=Decimal(of_run or 0), day_budget=day_budget, day_held=Decimal(of_day or 0)
    )
    if (sentence := funds.shortfall(reservation.amount)) is not None:
        return sentence
    job = reservation.session
    session.add(
        UsageRow(
            call_id=reservation.call_id,
            run_id=job.run,
            iteration=job.iteration,
            phase=job.phase,
            repository=job.repository,
            job_id=job.job_id,
            session_id=job.id,
            agent=reservation.agent,
            purpose=reservation.purpose,
            model=reservation.model,
            state="reserved",
            reserved_usd=reservation.amount,
            streamed=reservation.streamed,
            reserved_at=reservation.at,
        )
    )
    return None


async def settle(session: AsyncSession, call_id: str, settlement: Settlement) -> None:
    """Write what a call cost. A call that was marked unknown meanwhile is settled all the same."""
    usage = settlement.usage
    await session.execute(
        update(UsageRow)
        .where(UsageRow.call_id == call_id, UsageRow.state.in_(("reserved", "unknown")))
        .values(
            state="settled",
            uncached_tokens=usage.uncached,
            cache_read_tokens=usage.cache_read,
            cache_write_5m_tokens=usage.cache_write_5m,
            cache_write_1h_tokens=usage.cache_write_1h,
            output_tokens=usage.output,
            usage=settlement.raw,
            price_id=settlement.price.id if settlement.price else None,
            cost_usd=settlement.cost_usd,
            request_id=settlement.request_id,
            message_id=settlement.message_id,
            stop_reason=settlement.stop_reason,
            http_status=settlement.http_status,
            error=None,
            settled_at=settlement.at,
        )
    )


async def release(session: AsyncSession, call_id: str, end: End) -> None:
    """Give back the money of a call that was refused upstream and is not billed."""
    await _end(session, call_id, end, state="released")


async def hold(session: AsyncSession, call_id: str, end: End) -> None:
    """Keep a call at its reservation, because nobody knows what it cost."""
    await _end(session, call_id, end, state="unknown")


async def hold_abandoned(session: AsyncSession, *, before: datetime, at: datetime) -> int:
    """Mark calls unknown whose gateway died: reserved before a moment and never settled. Return how many."""
    done = await session.execute(
        update(UsageRow)
        .where(UsageRow.state == "reserved", UsageRow.reserved_at < before)
        .values(state="unknown", error="The gateway ended before the answer did.", settled_at=at)
        .returning(UsageRow.call_id)
    )
    return len(done.all())


async def spent(session: AsyncSession, run: RunId) -> Decimal:
    """Return the known cost of a run in US dollars; calls held as unknown are left out."""
    total = await session.scalar(select(func.coalesce(func.sum(UsageRow.cost_usd), 0)).where(UsageRow.run_id == run))
    return Decimal(total or 0)


async def _end(session: AsyncSession, call_id: str, end: End, *, state: str) -> None:
    await session.execute(
        update(UsageRow)
        .where(UsageRow.call_id == call_id, UsageRow.state.in_(("reserved", "unknown")))
        .values(
            state=state,
            error=end.error[:2000],
            http_status=end.status,
            request_id=end.request_id,
            settled_at=end.at,
        )
    )
