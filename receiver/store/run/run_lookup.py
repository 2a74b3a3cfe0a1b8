"""Find the run that an event is about. Reads only."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver.store.run import merge_requests, runs, target_pipelines
from receiver.store.schema import PipelineRow, RunRow
from receiver.workflow.events import (
    Event,
    IssueCommented,
    IssueLabelled,
    IssueRestricted,
    JobChanged,
    MergeRequestChanged,
    NotePosted,
    PipelineChanged,
    StartRequested,
)


async def run_of(session: AsyncSession, event: Event) -> RunId | None:
    """Return the run that a vendor's event concerns, or None; for a ticket with several runs, the newest."""
    match event:
        case IssueCommented(issue_key=None, issue_id=str() as number):
            query = select(RunRow.id).where(RunRow.issue_id == number).order_by(*runs.NEWEST)
        case (
            IssueLabelled(issue_key=key)
            | StartRequested(issue_key=key)
            | IssueRestricted(issue_key=key)
            | IssueCommented(issue_key=str() as key)
        ):
            newest = await runs.newest(session, key)
            return None if newest is None else RunId(newest.id)
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
        case _:
            return None
    found = await session.scalar(query.limit(1))
    if found is None and isinstance(event, PipelineChanged) and event.parent is None:
        return await target_pipelines.run_of(session, event)
    return None if found is None else RunId(found)
