"""Handle an event: lock its run, write what the event tells, load the run, decide, store the decision and its effects.

All in the caller's transaction. Performs no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from pipelines.language.catalogue import Catalogue
from receiver.hooks import claims
from receiver.release import Release
from receiver.store.admissions import contenders
from receiver.store.run import decisions, episodes, runs, ticket_levels
from receiver.store.run.fold import Reader, fold
from receiver.store.run.run_lookup import run_of, subject_of
from receiver.store.schema import RunRow
from receiver.workflow import lifecycle
from receiver.workflow.decide import decide
from receiver.workflow.effect_table import EFFECTS, EffectTable
from receiver.workflow.events.event import Event
from receiver.workflow.events.message_events import CommandTyped, CommentRead, IssueCommented, NoteRead
from receiver.workflow.events.pipeline_events import PipelineChanged
from receiver.workflow.events.run_events import TurnOffered
from receiver.workflow.events.ticket_events import (
    IssueLabelled,
    IssueRestricted,
    LabelChanged,
    LabelChecked,
    StartRequested,
    TicketAdmitted,
    TicketRefreshed,
)
from receiver.workflow.person import AccountId, Person
from receiver.workflow.run import NOTHING_LEARNED, Decision, RunStatus
from receiver.workflow.stages import escalation, ticket_restriction
from receiver.workflow.turns import EMPTY_QUEUE


class Setting(Struct, frozen=True, kw_only=True):
    """What handling needs besides the event."""

    catalogue: Catalogue
    """As it is now; a run keeps the one that it was started with."""
    clock: Callable[[], datetime]
    new_run: Callable[[], RunId]
    bot: int | None
    """Our GitLab user id."""
    merge_bot: int | None = None
    """The user id that we merge with, where it is another."""
    jira_account: AccountId | None = None
    """Our account in Jira; None: Jira did not say."""
    effects: EffectTable = EFFECTS
    release: Release | None = None
    """What is installed; each new run keeps it."""


class Handled(Struct, frozen=True, kw_only=True):
    """What became of an event."""

    decision: Decision
    run: RunId | None
    ends_turn: bool = False
    """A pipeline less is at work, or a run less waits for one: others may begin (`turn_offers`)."""


_OF_TICKET = IssueLabelled | LabelChanged | StartRequested | IssueRestricted | IssueCommented
"""Events that name a ticket: of one ticket only one is decided on at a time."""

_COMMANDS = CommentRead | NoteRead | CommandTyped
"""Events that can begin another attempt of a run that has ended, or another run."""

_BEGINS = TicketAdmitted | TicketRefreshed | TurnOffered | LabelChecked | _COMMANDS
"""Events that can let a run begin: only one of all runs is decided on at a time."""


async def handle(
    session: AsyncSession,
    event: Event,
    *,
    setting: Setting,
    run: RunId | None = None,
    delivery: int | None = None,
    effect: int | None = None,
    scopes: tuple[str, ...] | None = None,
) -> Handled:
    """Decide about an event and store all that follows. `run`: known already, because the event is an effect's.

    `scopes`: the groups and projects that the delivery's secret speaks for; None: there is none, or it speaks for all.
    """
    now = setting.clock()
    restricted = ticket_restriction.of(event)
    key = await _locked_ticket(session, event, restricted, run)
    if isinstance(event, _BEGINS):
        await contenders.lock_admission(session)
    known = run or await run_of(session, event)
    row = None if known is None else await runs.hold(session, known)
    learned, view, catalogue, queue = NOTHING_LEARNED, None, setting.catalogue, EMPTY_QUEUE
    if row is not None and delivery is not None:
        doubted = await _doubted(session, event, row, setting=setting, delivery=delivery, scopes=scopes)
        if doubted is not None:
            return doubted
    if row is not None:
        learned = await fold(session, event, row, reader=_reader(setting))
        view = await runs.load(session, row)
        catalogue = runs.catalogue_of(row) or setting.catalogue
        if isinstance(event, _BEGINS):
            queue = await contenders.queue(session, row, allowed=setting.catalogue.policy.concurrency, now=now)
    before = None if row is None else row.status
    decision = decide(
        event,
        view,
        learned=learned,
        catalogue=catalogue,
        now=now,
        new_id=setting.new_run(),
        queue=queue,
        effects=setting.effects,
        grants=setting.catalogue.commands,
    )
    if decision.new_run is not None:
        row = await _started(session, event, decision.new_run, key=key, setting=setting)
    if row is None:
        return Handled(decision=decision, run=None)
    table = setting.effects
    await decisions.record(session, event, decision, row, delivery=delivery, effect=effect, now=now, table=table)
    if restricted is not None:
        await _restrict(session, restricted, setting=setting, delivery=delivery, effect=effect)
    return Handled(decision=decision, run=RunId(row.id), ends_turn=_ends_turn(event, before, row.status))


async def _locked_ticket(
    session: AsyncSession, event: Event, restricted: IssueRestricted | None, run: RunId | None
) -> str | None:
    """Lock the ticket of which only one event is decided on at a time, and return its key; None: no ticket's is."""
    key: str | None = None
    if isinstance(event, _OF_TICKET | CommandTyped):
        key = event.issue_key
    elif restricted is not None:
        key = restricted.issue_key
    elif isinstance(event, _COMMANDS) and run is not None:
        key = await runs.issue_of(session, run)
    if key is not None:
        await runs.lock_issue(session, key)
    return key


async def _doubted(
    session: AsyncSession,
    event: Event,
    row: RunRow,
    *,
    setting: Setting,
    delivery: int,
    scopes: tuple[str, ...] | None,
) -> Handled | None:
    """Handle what a hook may not tell, or not alone; None: it is believed. Of a refused one the run keeps nothing."""
    catalogue = runs.catalogue_of(row) or setting.catalogue
    subject = await subject_of(session, event, row, automation=catalogue.automation_project)
    decision = None if subject is None else claims.doubted(event, subject, scopes=scopes)
    if decision is None:
        return None
    if not decision.effects:
        return Handled(decision=decision, run=None)
    now, table = setting.clock(), setting.effects
    await decisions.record(session, event, decision, row, delivery=delivery, effect=None, now=now, table=table)
    return Handled(decision=decision, run=RunId(row.id))


def _ends_turn(event: Event, before: str | None, after: str) -> bool:
    held = {*lifecycle.AT_WORK, RunStatus.QUEUED}
    is_left_over = isinstance(event, PipelineChanged) and lifecycle.is_over(event.status)
    return after not in held and (before in held or is_left_over)


def _reader(setting: Setting) -> Reader:
    return Reader(catalogue=setting.catalogue, bot=setting.bot, now=setting.clock(), merge_bot=setting.merge_bot)


async def _restrict(
    session: AsyncSession, event: IssueRestricted, *, setting: Setting, delivery: int | None, effect: int | None
) -> None:
    """Stop all runs of a ticket that are at work, and take back what any of them showed, not just the newest."""
    newest = await runs.newest(session, event.issue_key)
    for one in await ticket_levels.open_to_all(session, event.issue_key):
        row = await runs.hold(session, one)
        learned = await fold(session, event, row, reader=_reader(setting))
        view = await runs.load(session, row)
        is_newest = newest is not None and newest.id == one
        now, table = setting.clock(), setting.effects
        decision = ticket_restriction.restricted(event, view, learned=learned, now=now, is_newest=is_newest)
        catalogue = runs.catalogue_of(row) or setting.catalogue
        decision = escalation.followed(decision, view, catalogue=catalogue, now=now)
        await decisions.record(session, event, decision, row, delivery=delivery, effect=effect, now=now, table=table)


async def _started(session: AsyncSession, event: Event, run: RunId, *, key: str | None, setting: Setting) -> RunRow:
    """Create the run that an event starts. `key`: of its ticket, where the event does not name it."""
    now, is_commanded = setting.clock(), False
    match event:
        case IssueLabelled(issue_key=key, actor_name=name):
            actor: str | None = event.actor
        case StartRequested(issue_key=key, actor_name=name):
            actor = None
        case IssueCommented(issue_key=str() as key):
            actor, name = event.actor, ""
        case CommandTyped(issue_key=key):
            actor, name, is_commanded = None, event.actor_name, True
        case CommentRead(author=Person() as author) if key is not None:
            actor, name, is_commanded = author.account, author.name, True
        case _:
            raise TypeError(f"{type(event).__name__} can't start a run")
    row = await runs.create(
        session,
        run,
        issue_key=key,
        status=RunStatus.ADMITTING,  # what was decided follows, like every other move
        actor=actor,
        name=name,
        now=now,
        is_commanded=is_commanded,
    )
    await episodes.begin(session, row, release=setting.release)
    return row
