"""The queue: procrastinate jobs, deferred in the caller's transaction. Knows task names, not what tasks do."""

from __future__ import annotations

from datetime import datetime

import procrastinate
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.postgres.database import driver

PROCESS_DELIVERY = "process_delivery"
PERFORM_EFFECT = "perform_effect"

DELIVERIES = "deliveries"
EFFECTS = "effects"
URGENT = "urgent"
"""What waits for nothing that is queued, nor for a worker that has its hands full."""
AHEAD = "now:"
"""Begins the ordering key of urgent deliveries (`receiver.hooks.delivery.OVERTAKES`)."""

# Deferring needs no connection of its own: each call brings the session's.
_deferrer = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def enqueue_delivery(session: AsyncSession, delivery: int, *, ordering_key: str) -> None:
    """Enqueue a delivery, after all earlier ones with its ordering key."""
    queue = URGENT if ordering_key.startswith(AHEAD) else DELIVERIES
    job = _deferrer.configure_task(
        PROCESS_DELIVERY, queue=queue, lock=f"delivery:{ordering_key}", connection=await driver(session)
    )
    await job.defer_async(delivery_id=delivery)


async def enqueue_effect(
    session: AsyncSession, effect: int, *, group: str | None, at: datetime | None = None, is_urgent: bool = False
) -> None:
    """Enqueue an effect, after earlier ones of its group; a group of None waits for nobody."""
    queue = URGENT if is_urgent else EFFECTS
    job = _deferrer.configure_task(
        PERFORM_EFFECT, queue=queue, lock=group, schedule_at=at, connection=await driver(session)
    )
    await job.defer_async(effect_id=effect)
