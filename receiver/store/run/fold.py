"""The one fold: write what an event tells about a run whose row the caller holds locked. Decides nothing.

What is known only grows: any order of the same events, and any repetition, ends in the same knowledge.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language.catalogue import Catalogue
from receiver.store.deliveries import taken_comments
from receiver.store.postgres.json_text import storable
from receiver.store.run import heard_labels, merge_requests, run_pipelines, settled_reports, ticket_pictures
from receiver.store.schema import RunRow
from receiver.workflow import audience, lifecycle
from receiver.workflow.events import (
    CommentRead,
    Event,
    IssueLabelled,
    JobChanged,
    MergeRequestChanged,
    MergeRequestOpened,
    PicturesAttached,
    PipelineChanged,
    PipelineStarted,
    ReportAccepted,
    ReportDiscarded,
    TargetPipelineReleased,
    TicketAdmitted,
    TicketRefreshed,
)
from receiver.workflow.run import Learned


class Reader(Struct, frozen=True, kw_only=True):
    """What the fold has to know besides the event."""

    catalogue: Catalogue
    """As it is now; a run freezes it when its ticket is admitted."""
    bot: int | None
    """Our GitLab user id: a commit of anybody else on our branch is an intervention."""
    now: datetime


async def fold(session: AsyncSession, event: Event, run: RunRow, *, reader: Reader) -> Learned:
    """Write what an event tells, and return what of it was not known."""
    before = run.confidential
    is_new = await _written(session, event, run, reader)
    run.confidential = run.confidential or audience.is_confidential_by(event)
    await session.flush()
    became_confidential = run.confidential != before and not isinstance(event, IssueLabelled)
    return Learned(is_new=is_new or became_confidential, was_confidential=before)


async def _written(  # noqa: C901, PLR0911, PLR0912  # a table over the events
    session: AsyncSession, event: Event, run: RunRow, reader: Reader
) -> bool:
    now = reader.now
    match event:
        case IssueLabelled(at=datetime() as at):
            return not await heard_labels.was_heard(session, run.issue_key, at=at)  # noted with the decision
        case IssueLabelled():
            return True
        case TicketAdmitted():
            return _admitted(event, run, reader.catalogue)
        case TicketRefreshed():
            return _refreshed(event, run)
        case CommentRead(ignored=""):
            word = "" if event.command is None else event.command.word
            return await taken_comments.take(
                session, run.id, issue_key=run.issue_key, comment=event.comment, command=word, now=now
            )
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
        case PicturesAttached():
            return await ticket_pictures.attached(session, event, run)
        case MergeRequestChanged():
            return await merge_requests.changed(session, event, run, bot=reader.bot, now=now)
        case _:
            return False


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
