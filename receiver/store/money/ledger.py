"""The ledger: money is reserved before a model call, settled after it, or held and marked unknown. Exact Decimals."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

import psycopg
from msgspec import Struct
from psycopg.rows import class_row, kwargs_row
from psycopg.types.json import Jsonb
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.jobs.sessions import JobSession
from receiver.store.money import funds
from receiver.store.money.funds import Funds
from receiver.store.money.pricing import Price, Usage
from receiver.store.postgres.database import StoreError
from receiver.store.schema import UsageRow
from receiver.store.schema.columns import Json


class Reservation(Struct, frozen=True, kw_only=True):
    """A call that is about to be made."""

    call_id: str
    session: JobSession
    agent: str | None
    purpose: str
    prompt_version: str | None
    prefix_sha256: str | None
    is_first: bool
    model: str
    streamed: bool
    amount: Decimal
    """US dollars that it can cost at most."""
    at: datetime


class _Answer(Funds, frozen=True, kw_only=True):
    """What the function below says of a call."""

    wanted: Decimal
    """Of it, or of the phase that it begins."""
    is_phase: bool
    """The phase usually costs more than the call may."""


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


Connection = psycopg.AsyncConnection[Any]
"""One on which each statement is a transaction: `Database.direct`."""

_PRICES: Final = """
    SELECT id, model, valid_from, above_tokens, input, output, cache_write_5m, cache_write_1h, cache_read
      FROM prices WHERE model = %s
"""
_RESERVE: Final = """
    SELECT run_held, day_held, wanted, is_phase FROM reserve_funds(
        %(call_id)s, %(run_id)s, %(iteration)s, %(phase)s, %(repository)s, %(job_id)s, %(session_id)s, %(agent)s,
        %(purpose)s, %(model)s, %(streamed)s, %(amount)s, %(at)s, %(midnight)s, %(run_budget)s, %(day_budget)s,
        'run', %(prompt_version)s, %(prefix_sha256)s, %(is_first)s, %(until)s)
"""
_SETTLE: Final = """
    UPDATE usage SET state = 'settled', uncached_tokens = %(uncached)s, cache_read_tokens = %(cache_read)s,
           cache_write_5m_tokens = %(cache_write_5m)s, cache_write_1h_tokens = %(cache_write_1h)s,
           output_tokens = %(output)s, usage = %(raw)s, price_id = %(price_id)s, cost_usd = %(cost_usd)s,
           request_id = %(request_id)s, message_id = %(message_id)s, stop_reason = %(stop_reason)s,
           prefix_tokens = CASE WHEN is_first AND prefix_sha256 IS NOT NULL THEN %(prefix)s END,
           http_status = %(http_status)s, error = NULL, settled_at = %(at)s
     WHERE call_id = %(call_id)s AND state IN ('reserved', 'unknown')
"""
_END: Final = """
    UPDATE usage SET state = %(state)s, error = %(error)s, http_status = %(status)s, request_id = %(request_id)s,
           settled_at = %(at)s
     WHERE call_id = %(call_id)s AND state IN ('reserved', 'unknown')
"""


async def prices(connection: Connection, model: str) -> tuple[Price, ...]:
    """Return all price rows of a model."""
    cursor = connection.cursor(row_factory=class_row(Price))
    return tuple(await (await cursor.execute(_PRICES, (model,))).fetchall())


async def reserve(
    connection: Connection, reservation: Reservation, *, run_budget: Decimal, day_budget: Decimal
) -> str | None:
    """Hold the money of a call; return a sentence instead when run or day can't fund it.

    With its first call a phase holds what it usually costs; what others hold so is not to be had.

    Reservations are made one after the other, so that calls at the same time can't spend the same dollar.
    """
    job = reservation.session
    values = {
        "call_id": reservation.call_id,
        "run_id": job.run,
        "iteration": job.iteration,
        "phase": job.phase.value,
        "repository": job.repository,
        "job_id": job.job_id,
        "session_id": job.id,
        "agent": reservation.agent,
        "purpose": reservation.purpose,
        "prompt_version": reservation.prompt_version,
        "prefix_sha256": reservation.prefix_sha256,
        "is_first": reservation.is_first,
        "model": reservation.model,
        "streamed": reservation.streamed,
        "amount": reservation.amount,
        "at": reservation.at,
        "midnight": funds.midnight(reservation.at),
        "until": job.expires_at,
        "run_budget": run_budget,
        "day_budget": day_budget,
    }
    answer = partial(_Answer, run_budget=run_budget, day_budget=day_budget)
    cursor = connection.cursor(row_factory=kwargs_row(answer))
    found = await (await cursor.execute(_RESERVE, values)).fetchone()
    if found is None:  # the function always gives a row
        raise StoreError("reserve_funds gave no answer.")
    if found.is_phase:
        where = f" of {job.repository}" if job.repository else ""
        return found.shortfall(found.wanted, f"{job.phase.replace('_', ' ')}{where}", cost=funds.OF_USUAL)
    return found.shortfall(found.wanted, "this call", cost=funds.OF_CALL)


async def settle(connection: Connection, call_id: str, settlement: Settlement) -> None:
    """Write what a call cost. A call that was marked unknown meanwhile is settled all the same."""
    usage = settlement.usage
    values = {
        "call_id": call_id,
        "uncached": usage.uncached,
        "cache_read": usage.cache_read,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
        "output": usage.output,
        "prefix": usage.prefix,
        "raw": Jsonb(settlement.raw),
        "price_id": settlement.price.id if settlement.price else None,
        "cost_usd": settlement.cost_usd,
        "request_id": settlement.request_id,
        "message_id": settlement.message_id,
        "stop_reason": settlement.stop_reason,
        "http_status": settlement.http_status,
        "at": settlement.at,
    }
    await connection.execute(_SETTLE, values)


async def release(connection: Connection, call_id: str, end: End) -> None:
    """Give back the money of a call that was refused upstream and is not billed."""
    await _end(connection, call_id, end, state="released")


async def hold(connection: Connection, call_id: str, end: End) -> None:
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


async def _end(connection: Connection, call_id: str, end: End, *, state: str) -> None:
    values = {
        "call_id": call_id,
        "state": state,
        "error": end.error[:2000],
        "status": end.status,
        "request_id": end.request_id,
        "at": end.at,
    }
    await connection.execute(_END, values)
