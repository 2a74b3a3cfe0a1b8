"""Offer the next turns when a pipeline less is at work. What a crash loses here, the sweep makes good."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from receiver import limits
from receiver.store.admissions import contenders
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.worker.event_handler import Setting
from receiver.workflow import turns
from receiver.workflow.effects import OfferTurn, UpdateTicketNote


async def offer(database: Database, *, setting: Setting) -> int:
    """Offer a turn to each queued run that may begin now, and tell the next ones their position. Returns how many.

    In a transaction of its own: it touches rows of other runs, which nobody may do who holds the row of one.
    """
    async with database.begin() as session:
        return await _offer(session, setting=setting)


async def _offer(session: AsyncSession, *, setting: Setting) -> int:
    now = setting.clock()
    await contenders.lock_admission(session)
    queue = await contenders.queue(session, None, allowed=setting.catalogue.policy.concurrency, now=now)
    offered = 0
    chosen = [one.run for one in turns.next_turns(queue)]
    for run in chosen:
        if not await contenders.was_offered(session, run):
            offer = (OfferTurn(),)
            stored = await outbox.store(session, run, offer, decision=None, origin=f"turn:{now.isoformat()}", now=now)
            offered += len(stored)
    if offered:
        others = [one.run for one in turns.order(queue) if one.run not in chosen]
        for run in others[: limits.QUEUE_TOLD]:
            told = (UpdateTicketNote(),)
            await outbox.store(session, run, told, decision=None, origin=f"turn:{now.isoformat()}", now=now)
    return offered
