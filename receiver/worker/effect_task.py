"""Perform one effect of the outbox and decide on what came of it. At least once; the world ends up the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import structlog
from msgspec import Struct

from receiver import limits
from receiver.outbound.effects import restriction_check
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.performers import PERFORMERS, Performer, perform
from receiver.outbound.effects.restriction_check import RestrictedError
from receiver.outbound.errors import OutboundError, UnavailableError
from receiver.outbound.gitlab.hooks_api import Hooks
from receiver.store.effects import outbox
from receiver.store.effects.outbox import Pending
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.run import runs
from receiver.store.story import stored_indicators
from receiver.worker.event_handler import Handled, Setting, handle
from receiver.worker.turn_offers import offer
from receiver.workflow.effect_table import Tells
from receiver.workflow.effects import (
    AnswerComment,
    AnswerNote,
    AnswerTopic,
    CheckLabel,
    Effect,
    LinkTicket,
    ReadComment,
    ReadNote,
)
from receiver.workflow.events.run_events import EffectGaveUp
from receiver.workflow.events.ticket_events import IssueRestricted
from receiver.workflow.messages import Message
from receiver.workflow.person import AccountId

log = structlog.get_logger()


class Workshop(Struct, frozen=True, kw_only=True):
    """What performing effects takes."""

    database: Database
    desk: Desk
    setting: Setting
    retention: Retention
    hooks: Hooks | None = None
    """GitLab's hooks as a Maintainer sees them; None: no token for that is configured."""
    performers: Mapping[type[Effect], Performer] = PERFORMERS


async def work_on(workshop: Workshop, effect_id: int) -> None:
    """Perform an effect if it is still to be performed."""
    database, clock, table = workshop.database, workshop.setting.clock, workshop.setting.effects
    async with database.exclusive(f"effect:{effect_id}") as is_ours:
        async with database.begin() as session:
            pending = await outbox.claim(session, effect_id, now=clock(), counts=is_ours, table=table)
            if pending is None:
                return
            if not is_ours:
                await outbox.again(session, pending, error="Another worker is at it.", at=clock() + limits.EFFECT_BUSY)
                return
            if pending.superseded:
                await outbox.finish(session, pending.id, state="superseded", now=clock())
                return
        await _attempt(workshop, pending)


async def _attempt(workshop: Workshop, pending: Pending) -> None:
    kind = pending.rule.kind
    try:
        if _tells(pending) is not None and await _is_void(workshop, pending):
            return
        performed = await perform(workshop.desk, pending.run, pending.effect, performers=workshop.performers)
    except RestrictedError as error:
        await _restricted(workshop, pending, error.event)
        await _supersede(workshop, pending)
    except UnavailableError as error:
        await _try_again(workshop, pending, error, retry_after=error.retry_after)
    except OutboundError as error:
        await _give_up(workshop, pending, str(error))
    except Exception as error:
        # a bug or a broken connection: worth the same patience, and visible in the run's story
        log.exception("effect.broke", effect=pending.id, kind=kind, run=pending.run)
        await _try_again(workshop, pending, error, retry_after=None)
    else:
        await _finish(workshop, pending, performed)
        log.info("effect.done", effect=pending.id, kind=kind, run=pending.run)


def _tells(pending: Pending) -> Tells | None:
    """Return how an effect lets people know what a run found; an answer of one sentence does not."""
    effect = pending.effect
    is_sentence = isinstance(effect, AnswerComment | AnswerNote) and effect.topic is AnswerTopic.SENTENCE
    return None if is_sentence else pending.rule.tells


async def _is_void(workshop: Workshop, pending: Pending) -> bool:
    """Stop the run before it is told of, if people restricted its ticket; then nothing carries it on.

    Raises OutboundError.
    """
    await _restricted(workshop, pending, await restriction_check.news(workshop.desk, pending.run))
    if pending.rule.tells is not Tells.WORK or not await restriction_check.is_stopped(workshop.desk, pending.run):
        return False
    await _supersede(workshop, pending)
    return True


async def _restricted(workshop: Workshop, pending: Pending, event: IssueRestricted | None) -> None:
    """Let the run know what Jira said of its ticket, if it said something."""
    if event is not None:
        async with workshop.database.begin() as session:
            handled = await handle(session, event, setting=workshop.setting, run=pending.run, effect=pending.id)
        await _pass_on(workshop, handled)


async def _supersede(workshop: Workshop, pending: Pending) -> None:
    async with workshop.database.begin() as session:
        await outbox.finish(session, pending.id, state="superseded", now=workshop.setting.clock())


async def _finish(workshop: Workshop, pending: Pending, performed: Performed) -> None:
    now = workshop.setting.clock()
    async with workshop.database.begin() as session:
        if not await outbox.finish(
            session, pending.id, state="done", now=now, result=performed.result, remark=performed.remark
        ):
            return
        handled = [
            await handle(session, event, setting=workshop.setting, run=pending.run, effect=pending.id)
            for event in performed.events
        ]
        origin = f"effect:{pending.id}"
        table = workshop.setting.effects
        await outbox.store(session, pending.run, performed.then, decision=None, origin=origin, now=now, table=table)
        if isinstance(pending.effect, LinkTicket):  # one of the indicators is whether the ticket links back
            await stored_indicators.keep(session, await runs.hold(session, pending.run), now=now)
    workshop.desk.faults.reach(f"{pending.rule.kind}:after_commit")
    await _pass_on(workshop, *handled)


async def _pass_on(workshop: Workshop, *handled: Handled) -> None:
    """Offer the turn of a run that is no longer at work to others."""
    if any(one.ends_turn for one in handled):
        await offer(workshop.database, setting=workshop.setting)


async def _try_again(workshop: Workshop, pending: Pending, error: Exception, *, retry_after: timedelta | None) -> None:
    now = workshop.setting.clock()
    sentence = str(error) or type(error).__name__
    if now - pending.first_attempt_at >= limits.EFFECT_GIVE_UP:
        await _give_up(workshop, pending, f"{sentence} Tried {pending.attempts} times.")
        return
    at = now + outbox.wait(pending.attempts, seed=pending.id, retry_after=retry_after)
    async with workshop.database.begin() as session:
        await outbox.again(session, pending, error=sentence, at=at)
    log.warning("effect.retried", effect=pending.id, kind=pending.rule.kind, attempts=pending.attempts, at=str(at))


async def _give_up(workshop: Workshop, pending: Pending, reason: str) -> None:
    kind = pending.rule.kind
    async with workshop.database.begin() as session:
        if not await outbox.finish(session, pending.id, state="given_up", now=workshop.setting.clock(), error=reason):
            return
        event = EffectGaveUp(
            effect=kind, reason=reason, message=_read_by(pending.effect), author=_changed_by(pending.effect)
        )
        handled = await handle(session, event, setting=workshop.setting, run=pending.run, effect=pending.id)
    await _pass_on(workshop, handled)
    log.error("effect.given_up", effect=pending.id, kind=kind, run=pending.run, reason=reason)


def _changed_by(effect: Effect) -> AccountId | None:
    """Return who changed the label that an effect was to read."""
    return effect.actor if isinstance(effect, CheckLabel) else None


def _read_by(effect: Effect) -> Message | None:
    """Return what somebody said that an effect was to read."""
    return effect.message if isinstance(effect, ReadComment | ReadNote) else None
