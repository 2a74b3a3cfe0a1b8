"""Deliveries after they were stored: held while handled, counted for people, found again when the queue lost them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.postgres.queue import PROCESS_DELIVERY
from receiver.store.schema import DeliveryRow


async def hold(session: AsyncSession, delivery: int) -> DeliveryRow | None:
    """Return a delivery, locked until the transaction ends."""
    return await session.scalar(select(DeliveryRow).where(DeliveryRow.id == delivery).with_for_update())


async def verdict_of(session: AsyncSession, delivery: int) -> tuple[str, str] | None:
    """Return what became of a delivery, and why; None: it is still to be handled."""
    found = select(DeliveryRow.verdict, DeliveryRow.reason).where(DeliveryRow.id == delivery)
    row = (await session.execute(found)).one_or_none()
    return None if row is None or row.verdict is None else (row.verdict, row.reason or "")


async def orphans(session: AsyncSession, *, before: datetime) -> list[DeliveryRow]:
    """Return deliveries without a verdict that nothing in the queue stands for, in the order of arrival."""
    queued = text(
        "NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE task_name = :task AND status IN ('todo', 'doing')"
        " AND (args->>'delivery_id')::bigint = deliveries.id)"
    ).bindparams(task=PROCESS_DELIVERY)
    waiting = select(DeliveryRow).where(DeliveryRow.verdict.is_(None), DeliveryRow.received_at < before, queued)
    return list(await session.scalars(waiting.order_by(DeliveryRow.id)))


async def by_verdict(session: AsyncSession) -> dict[str, int]:
    """Return how many deliveries have which verdict; `waiting` have none yet."""
    verdict = func.coalesce(DeliveryRow.verdict, "waiting")
    rows = await session.execute(select(verdict, func.count()).group_by(verdict))
    return {str(name): int(count) for name, count in rows}
