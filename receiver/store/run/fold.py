"""The one fold: write what an event tells about a run whose row the caller holds locked. Decides nothing.

What is known only grows: any order of the same events, and any repetition, ends in the same knowledge.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language.catalogue import Catalogue
from receiver import limits
from receiver.comments.command_line import Command
from receiver.store.deliveries import taken_comments
from receiver.store.postgres.json_text import storable
from receiver.store.run import (
    fix_outcomes,
    given_commands,
    heard_labels,
    iterations,
    merge_judgements,
    merge_requests,
    remedies,
    run_pipelines,
    runs,
    settled_reports,
    ticket_pictures,
)
from receiver.store.schema import RunRow
from receiver.workflow import audience, lifecycle
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import (
    MergeJudged,
    MergeRequestChanged,
    MergeRequestOpened,
    PicturesAttached,
    TargetPipelineReleased,
)
from receiver.workflow.events.message_events import CommandTyped, CommentRead, NoteRead
from receiver.workflow.events.outcome_events import OutcomeSeen
from receiver.workflow.events.pipeline_events import (
    JobChanged,
    PipelineChanged,
    PipelineStarted,
    ReportAccepted,
    ReportDiscarded,
)
from receiver.workflow.events.remedy_events import RemedyTold
from receiver.workflow.events.run_events import AttemptUnfunded
from receiver.workflow.events.ticket_events import (
    IssueLabelled,
    LabelChange,
    LabelChanged,
    TicketAdmitted,
    TicketRefreshed,
)
from receiver.workflow.person import Person
from receiver.workflow.run import Learned, RunStatus

COMMANDS = CommentRead | NoteRead | CommandTyped
"""Events that can be a command."""


class Reader(Struct, frozen=True, kw_only=True):
    """What the fold has to know besides the event."""

    catalogue: Catalogue
    """As it is now; a run freezes it when its ticket is admitted."""
    bot: int | None
    """Our GitLab user id: a commit of anybody else on our branch is an intervention."""
    now: datetime
    merge_bot: int | None = None
    """The user id that we merge and rebase with, where it is another."""

    @property
    def bots(self) -> frozenset[int]:
        """Return our GitLab user ids."""
        return frozenset(one for one in (self.bot, self.merge_bot) if one is not None)


async def fold(session: AsyncSession, event: Event, run: RunRow, *, reader: Reader) -> Learned:
    """Write what an event tells, and return what of it was not known."""
    before, was_unlabelled = run.confidential, _was_unlabelled(event, run, now=reader.now)
    was_for_people = isinstance(event, MergeJudged) and await merge_judgements.is_for_people(session, event, run)
    is_new = await _written(session, event, run, reader)
    run.confidential = run.confidential or audience.is_confidential_by(event)
    await session.flush()
    became_confidential = run.confidential != before and not isinstance(event, IssueLabelled)
    learned = Learned(
        is_new=is_new or became_confidential,
        was_confidential=before,
        was_unlabelled=was_unlabelled,
        was_for_people=was_for_people,
        is_of_person=isinstance(event, MergeRequestChanged) and event.actor_id not in {None, *reader.bots},
    )
    return await _of_command(session, event, run, learned) if isinstance(event, COMMANDS) else learned


async def _written(  # noqa: C901, PLR0911, PLR0912  # a table over the events
    session: AsyncSession, event: Event, run: RunRow, reader: Reader
) -> bool:
    now = reader.now
    match event:
        case LabelChanged(change=LabelChange.REMOVED):
            run.unlabelled_at = now
            return True
        case IssueLabelled(at=datetime() as at):
            return not await heard_labels.was_heard(session, run.issue_key, at=at)  # noted with the decision
        case IssueLabelled():
            return True
        case TicketAdmitted():
            return _admitted(event, run, reader.catalogue)
        case TicketRefreshed():
            return _refreshed(event, run)
        case CommentRead(ignored=""):
            return await _comment_taken(session, event, run, now=now)
        case (
            NoteRead(author=Person() as author, command=Command() as command)
            | CommandTyped(author=author, command=command)
        ):
            return await given_commands.take(session, run, event.message, command, author, now=now)
        case AttemptUnfunded(iteration=number) if number == run.iteration and run.status == RunStatus.STARTING:
            await iterations.interrupt(session, run, now=now)  # nothing was tried: it counts as no attempt
            return True
        case PipelineStarted():
            return await run_pipelines.started(session, event, run, now=now)
        case PipelineChanged():
            return await run_pipelines.changed(session, event, run, now=now)
        case JobChanged():
            return await run_pipelines.job_changed(session, event, run, now=now)
        case ReportAccepted():
            return await settled_reports.accept(session, event, run, now=now)
        case ReportDiscarded():
            return await settled_reports.discard(session, event, run, now=now)
        case MergeRequestOpened():
            return await merge_requests.opened(session, event, run, now=now)
        case TargetPipelineReleased():
            return await merge_requests.released(session, event, run)
        case MergeJudged():
            return await merge_judgements.judged(session, event, run)
        case RemedyTold():
            return await remedies.told(session, event, run, now=now)
        case PicturesAttached():
            return await ticket_pictures.attached(session, event, run)
        case OutcomeSeen():
            return await fix_outcomes.seen(session, event, run, now=now)
        case MergeRequestChanged():
            return await merge_requests.changed(session, event, run, bots=reader.bots, now=now)
        case _:
            return False


def _was_unlabelled(event: Event, run: RunRow, *, now: datetime) -> bool:
    """Return whether the start label was taken off a moment before it was set now."""
    if not isinstance(event, IssueLabelled) or run.unlabelled_at is None:
        return False
    since, run.unlabelled_at = run.unlabelled_at, None
    return now - since <= limits.LABEL_TAKEN_OFF


async def _comment_taken(session: AsyncSession, event: CommentRead, run: RunRow, *, now: datetime) -> bool:
    """Take in a comment, and the command that it gives; processes of the previous release know comments only."""
    word = "" if event.command is None else event.command.word
    is_new = await taken_comments.take(
        session, run.id, issue_key=run.issue_key, comment=event.comment, command=word, now=now
    )
    if event.command is None or event.author is None or not is_new:
        return is_new
    return await given_commands.take(session, run, event.message, event.command, event.author, now=now)


async def _of_command(
    session: AsyncSession, event: CommentRead | NoteRead | CommandTyped, run: RunRow, learned: Learned
) -> Learned:
    """Return what a decision on a command has to know of other commands and runs."""
    if event.command is None or event.author is None:
        return learned
    newest = await runs.newest(session, run.issue_key)
    said_before = await given_commands.before(session, run, event.message, event.author)
    return replace(learned, said_before=said_before, is_newest=newest is None or newest.id == run.id)


def _admitted(event: TicketAdmitted, run: RunRow, catalogue: Catalogue) -> bool:
    if run.ticket is not None:
        return False  # ticket and catalogue are frozen
    _keep_ticket(event, run)
    run.catalogue = msgspec.to_builtins(catalogue)
    run.catalogue_sha256 = event.catalogue_sha256
    run.names_readers = catalogue.jira.confidential is not None
    return True


def _refreshed(event: TicketRefreshed, run: RunRow) -> bool:
    if run.status not in lifecycle.WAITING or event.iteration != run.iteration + 1:
        return False  # an iteration at work keeps the ticket and the commits that it began with
    _keep_ticket(event, run)
    return True


def _keep_ticket(event: TicketAdmitted | TicketRefreshed, run: RunRow) -> None:
    run.ticket = storable(msgspec.to_builtins(event.ticket))
    run.issue_id = event.ticket.id
    run.base_shas = {str(path): sha for path, sha in event.base_shas.items()}
