"""Handle an event: find its run, decide, write down what it told, what was decided and what is to be done.

All in the caller's transaction, under the run's row lock. Performs no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from pipelines.language.catalogue import Catalogue
from receiver.store.deliveries import taken_comments
from receiver.store.run import decisions, facts, runs
from receiver.store.schema import RunRow
from receiver.workflow import ticket_restriction
from receiver.workflow.decide import decide
from receiver.workflow.events import CommentRead, Event, IssueCommented, IssueLabelled, IssueRestricted, StartRequested
from receiver.workflow.observe import observed
from receiver.workflow.outcomes import ignored
from receiver.workflow.run import Decision, RunStatus


class Setting(Struct, frozen=True, kw_only=True):
    """What handling needs besides the event."""

    catalogue: Catalogue
    """As it is now; a run keeps the one that it was started with."""
    clock: Callable[[], datetime]
    new_run: Callable[[], RunId]
    bot: int | None
    """Our GitLab user id."""


class Handled(Struct, frozen=True, kw_only=True):
    """What became of an event."""

    decision: Decision
    run: RunId | None


_OF_TICKET = IssueLabelled | StartRequested | IssueRestricted | IssueCommented
"""Events that name a ticket: of one ticket only one is decided on at a time."""


async def handle(
    session: AsyncSession,
    event: Event,
    *,
    setting: Setting,
    run: RunId | None = None,
    delivery: int | None = None,
    effect: int | None = None,
) -> Handled:
    """Decide about an event and store all that follows. `run`: known already, because the event is an effect's."""
    now = setting.clock()
    restricted = ticket_restriction.of(event)
    key = event.issue_key if isinstance(event, _OF_TICKET) else restricted.issue_key if restricted else None
    if key is not None:
        await runs.lock_issue(session, key)
    known = run or await facts.run_of(session, event)
    row = None if known is None else await runs.hold(session, known)
    view = None if row is None else await runs.load(session, row)
    catalogue = setting.catalogue if row is None else runs.catalogue_of(row) or setting.catalogue
    if isinstance(event, CommentRead) and row is not None and not await _is_new(session, event, row, now=now):
        decision = ignored(f"Comment {event.comment} was taken in before.")
    else:
        decision = decide(event, view, catalogue=catalogue, now=now, new_id=setting.new_run())
    if decision.new_run is not None and decision.status is not None:
        row = await _started(session, event, decision, now=now)
    if row is None:
        return Handled(decision=decision, run=None)
    await facts.write(session, event, row, catalogue=setting.catalogue, bot=setting.bot, now=now)
    await decisions.record(session, event, decision, row, delivery=delivery, effect=effect, now=now)
    if restricted is not None:
        await _restrict(session, restricted, setting=setting, delivery=delivery, effect=effect)
    return Handled(decision=decision, run=RunId(row.id))


async def _restrict(
    session: AsyncSession, event: IssueRestricted, *, setting: Setting, delivery: int | None, effect: int | None
) -> None:
    """Let all runs of a ticket be confidential that are at work or have merge requests, not just the newest."""
    now = setting.clock()
    newest = await runs.newest(session, event.issue_key)
    for one in await runs.open_to_all(session, event.issue_key):
        row = await runs.hold(session, one)
        before = await runs.load(session, row)
        is_newest = newest is not None and newest.id == one
        decision = ticket_restriction.restricted(event, before, observed(before, event), is_newest=is_newest)
        await facts.write(session, event, row, catalogue=setting.catalogue, bot=setting.bot, now=now)
        await decisions.record(session, event, decision, row, delivery=delivery, effect=effect, now=now)


async def _is_new(session: AsyncSession, event: CommentRead, run: RunRow, *, now: datetime) -> bool:
    if event.ignored:
        return True
    command = event.command or ""
    return await taken_comments.take(
        session, run.id, issue_key=run.issue_key, comment=event.comment, command=command, now=now
    )


async def _started(session: AsyncSession, event: Event, decision: Decision, *, now: datetime) -> RunRow | None:
    if decision.new_run is None or decision.status is None:
        return None
    match event:
        case IssueLabelled(issue_key=key, actor_name=name):
            actor: str | None = event.actor
        case StartRequested(issue_key=key, actor_name=name):
            actor = None
        case IssueCommented(issue_key=str() as key):
            actor, name = event.actor, ""
        case _:
            raise TypeError(f"{type(event).__name__} can't start a run")
    return await runs.create(
        session,
        decision.new_run,
        issue_key=key,
        status=RunStatus.ADMITTING,  # what was decided follows, like every other move
        actor=actor,
        name=name,
        now=now,
    )
