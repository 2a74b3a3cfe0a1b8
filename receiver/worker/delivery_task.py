"""Handle one stored delivery: read what it means, decide, give it a verdict. Once, whatever happens in between."""

from __future__ import annotations

import structlog

from receiver import limits
from receiver.hooks.delivery import Delivery, HookError, Interests, Source
from receiver.hooks.delivery_reader import read
from receiver.store.deliveries import stored_deliveries
from receiver.store.postgres.database import Database
from receiver.store.run import decisions
from receiver.worker.event_handler import Setting, handle
from receiver.worker.turn_offers import offer

log = structlog.get_logger()


async def process(database: Database, delivery_id: int, *, setting: Setting) -> None:
    """Give a delivery its verdict; does nothing when it has one."""
    async with database.begin() as session:
        row = await stored_deliveries.hold(session, delivery_id)
        if row is None or row.verdict is not None or row.body is None:
            return
        delivery = Delivery.stored(
            source=Source(row.source), headers=row.headers, body=row.body, received_at=row.received_at
        )
        try:
            interests = Interests.of(setting.catalogue, bot=setting.bot, jira_account=setting.jira_account)
            reading = read(delivery, interests=interests)
        except HookError as error:
            # the receiver read it before storing it, so this is an older version's delivery
            await decisions.give_verdict(
                session, row, verdict="ignored", reason=str(error), run=None, now=setting.clock()
            )
            return
        handled = await handle(session, reading.event, setting=setting, delivery=row.id, scopes=delivery.speaks_for)
        decision = handled.decision
        await decisions.give_verdict(
            session, row, verdict=decision.verdict, reason=decision.reason, run=handled.run, now=setting.clock()
        )
    if handled.ends_turn:
        await offer(database, setting=setting)
    log.info("delivery.decided", delivery=delivery_id, verdict=decision.verdict, run=handled.run)


async def failed(database: Database, delivery_id: int, *, error: Exception, setting: Setting) -> bool:
    """Note that handling a delivery broke; True when it is not to be tried again."""
    async with database.begin() as session:
        row = await stored_deliveries.hold(session, delivery_id)
        if row is None or row.verdict is not None:
            return True
        row.attempts += 1
        if row.attempts < limits.DELIVERY_ATTEMPTS:
            return False
        reason = f"Could not be handled in {limits.DELIVERY_ATTEMPTS} attempts: {type(error).__name__}: {error}"
        await decisions.give_verdict(session, row, verdict="failed", reason=reason, run=None, now=setting.clock())
        return True
