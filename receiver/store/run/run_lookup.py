"""Find the run that an event is about. Reads only."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import ProjectPath, RunId
from receiver.hooks.claims import Subject
from receiver.store.run import merge_requests, runs, target_pipelines
from receiver.store.schema import JobRow, MergeRequestRow, PipelineRow, RunRow
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.message_events import CommandTyped, IssueCommented, NotePosted
from receiver.workflow.events.outcome_events import RevertMerged
from receiver.workflow.events.pipeline_events import JobChanged, PipelineChanged
from receiver.workflow.events.ticket_events import IssueLabelled, IssueRestricted, LabelChanged, StartRequested


async def run_of(session: AsyncSession, event: Event) -> RunId | None:
    """Return the run that a vendor's event concerns, or None; for a ticket with several runs, the newest."""
    match event:
        case IssueCommented(issue_key=None, issue_id=str() as number):
            query = select(RunRow.id).where(RunRow.issue_id == number).order_by(*runs.NEWEST)
        case (
            IssueLabelled(issue_key=key)
            | LabelChanged(issue_key=key)
            | StartRequested(issue_key=key)
            | IssueRestricted(issue_key=key)
            | IssueCommented(issue_key=str() as key)
        ):
            newest = await runs.newest(session, key)
            return None if newest is None else RunId(newest.id)
        case CommandTyped():
            return event.run
        case PipelineChanged():
            ids = [event.pipeline] if event.parent is None else [event.pipeline, event.parent]
            query = select(PipelineRow.run_id).where(
                PipelineRow.id.in_(ids), PipelineRow.project_id == event.project_id
            )
        case JobChanged():
            query = select(PipelineRow.run_id).where(
                PipelineRow.id == event.pipeline, PipelineRow.project_id == event.project_id
            )
        case MergeRequestChanged() | NotePosted():
            return await merge_requests.run_of(session, event)
        case RevertMerged():
            theirs = (MergeRequestRow.project_id == event.project_id) & (MergeRequestRow.iid == event.iid)
            query = select(MergeRequestRow.run_id).where(theirs).order_by(MergeRequestRow.id.desc())
        case _:
            return None
    found = await session.scalar(query.limit(1))
    if found is None and isinstance(event, PipelineChanged) and event.parent is None:
        return await target_pipelines.run_of(session, event)
    return None if found is None else RunId(found)


async def subject_of(session: AsyncSession, event: Event, run: RunRow, *, automation: ProjectPath) -> Subject | None:
    """Return what a hook of GitLab about a run is about, by its ids; None for any other event."""
    match event:
        case JobChanged():
            job, within = await session.get(JobRow, event.job), await session.get_one(PipelineRow, event.pipeline)
            return Subject(project=automation, state=None if job is None else job.status, iteration=within.iteration)
        case PipelineChanged():
            known = await session.get(PipelineRow, event.pipeline)
            above = None if event.parent is None else await session.get(PipelineRow, event.parent)
            own = next((p for p in (known, above) if p is not None and p.project_id == event.project_id), None)
            if own is not None:
                state = None if known is None else known.status
                return Subject(project=automation, state=state, iteration=own.iteration)
            theirs = MergeRequestRow.project_id == event.project_id
        case MergeRequestChanged() | NotePosted() | RevertMerged():
            theirs = (MergeRequestRow.project_id == event.project_id) & (MergeRequestRow.iid == event.iid)
        case _:
            return None
    row = await session.scalar(select(MergeRequestRow).where(MergeRequestRow.run_id == run.id, theirs).limit(1))
    if row is not None:
        return Subject(project=ProjectPath(row.repository), state=row.state)
    if isinstance(event, RevertMerged):
        return None
    # a merge request that is not known yet: the run was found by its branch and by the path, one of the run's
    return Subject(project=ProjectPath(merge_requests.repository(event, run) or event.project))
