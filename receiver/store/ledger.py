"""The ledger: money is reserved before a model call, settled after it, or held and marked unknown. Exact Decimals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, cast

from msgspec import Struct
from sqlalchemy import Table, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from pipelines.model import RunId
from receiver.gateway.pricing import Price, Usage
from receiver.store.schema import PriceRow, UsageRow
from receiver.store.schema.base import Json
from receiver.store.sessions import JobSession

PRICES: Final = cast("Table", PriceRow.__table__)
USAGE: Final = cast("Table", UsageRow.__table__)


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


_PRICES: Final = select(*PRICES.c).where(PRICES.c.model == bindparam("named"))
_RESERVE: Final = text(
    "SELECT run_held, day_held FROM reserve_call(:call_id, :run_id, :iteration, :phase, :repository, :job_id,"
    " :session_id, :agent, :purpose, :model, :streamed, :amount, :at, :midnight, :run_budget, :day_budget)"
)
_OPEN: Final = update(USAGE).where(USAGE.c.call_id == bindparam("call"), USAGE.c.state.in_(("reserved", "unknown")))


async def prices(connection: AsyncConnection, model: str) -> tuple[Price, ...]:
    """Return all price rows of a model."""
    rows = await connection.execute(_PRICES, {"named": model})
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
    connection: AsyncConnection, reservation: Reservation, *, run_budget: Decimal, day_budget: Decimal
) -> str | None:
    """Hold the money of a call; return a sentence instead when run or day can't fund it.

    Reservations are made one after the other, so that calls at the same time can't spend the same dollar.
    """
    job = reservation.session
    values = {
        "call_id": reservation.call_id,
        "run_id": job.run,
        "iteration": job.iteration,
        "phase": job.phase,
        "repository": job.repository,
        "job_id": job.job_id,
        "session_id": job.id,
        "agent": reservation.agent,
        "purpose": reservation.purpose,
        "model": reservation.model,
        "streamed": reservation.streamed,
        "amount": reservation.amount,
        "at": reservation.at,
        "midnight": reservation.at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0),
        "run_budget": run_budget,
        "day_budget": day_budget,
    }
    held = (await connection.execute(_RESERVE, values)).one()
    funds = Funds(run_budget=run_budget, run_held=held.run_held, day_budget=day_budget, day_held=held.day_held)
    return funds.shortfall(reservation.amount)


async def settle(connection: AsyncConnection, call_id: str, settlement: Settlement) -> None:
    """Write what a call cost. A call that was marked unknown meanwhile is settled all the same."""
    usage = settlement.usage
    values = {
        "state": "settled",
        "uncached_tokens": usage.uncached,
        "cache_read_tokens": usage.cache_read,
        "cache_write_5m_tokens": usage.cache_write_5m,
        "cache_write_1h_tokens": usage.cache_write_1h,
        "output_tokens": usage.output,
        "usage": settlement.raw,
        "price_id": settlement.price.id if settlement.price else None,
        "cost_usd": settlement.cost_usd,
        "request_id": settlement.request_id,
        "message_id": settlement.message_id,
        "stop_reason": settlement.stop_reason,
        "http_status": settlement.http_status,
        "error": None,
        "settled_at": settlement.at,
    }
    await connection.execute(_OPEN, {"call": call_id, **values})


async def release(connection: AsyncConnection, call_id: str, end: End) -> None:
    """Give back the money of a call that was refused upstream and is not billed."""
    await _end(connection, call_id, end, state="released")


async def hold(connection: AsyncConnection, call_id: str, end: End) -> None:
    """Keep a call at its reservation, because nobody knows what it cost."""
    await _end(connection, call_id, end, state="unknown")


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


async def _end(connection: AsyncConnection, call_id: str, end: End, *, state: str) -> None:
    values = {
        "state": state,
        "error": end.error[:2000],
        "http_status": end.status,
        "request_id": end.request_id,
        "settled_at": end.at,
    }
    await connection.execute(_OPEN, {"call": call_id, **values})
