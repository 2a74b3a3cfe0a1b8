"""What an event tells about the world, written down with the decision about it.

The tables' side of `receiver.workflow.observe`: what is known only grows, by `lifecycle.later`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.generation.job_names import parse_job_name
from pipelines.language import RunId
from pipelines.language.catalogue import Catalogue
from receiver.store.postgres.json_text import storable
from receiver.store.run import merge_requests, runs, settled_reports, target_pipelines
from receiver.store.schema import JobRow, PipelineRow, RunRow
from receiver.workflow import lifecycle
from receiver.workflow.events import (
    Event,
    IssueCommented,
    IssueLabelled,
    IssueRestricted,
    JobChanged,
    MergeRequestChanged,
    MergeRequestOpened,
    NotePosted,
    PipelineChanged,
    PipelineStarted,
    ReportAccepted,
    ReportDiscarded,
    StartRequested,
    TicketAdmitted,
    TicketRefreshed,
)


async def run_of(session: AsyncSession, event: Event) -> RunId | None:
    """Return the run that a vendor's event is about, if it is about one; of a ticket's runs the newest."""
    match event:
        case IssueCommented(issue_key=None, issue_id=str() as number):
            query = select(RunRow.id).where(RunRow.issue_id == number).order_by(RunRow.created_at.desc())
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


async def write(  # noqa: C901  # a table over the events
    session: AsyncSession, event: Event, run: RunRow, *, catalogue: Catalogue, bot: int | None, now: datetime
) -> None:
    """Write down what an event tells about a run that the caller holds locked. `bot` is our GitLab user id."""
    match event:
        case TicketAdmitted():
            _ticket(event, run)
            run.catalogue = msgspec.to_builtins(catalogue)
            run.catalogue_sha256 = event.catalogue_sha256
        case TicketRefreshed():
            _ticket(event, run)
        case IssueRestricted():
            run.confidential = True
        case PipelineStarted():
            row = insert(PipelineRow).values(
                id=event.pipeline,
                project_id=event.project_id,
                run_id=run.id,
                iteration=event.iteration,
                status="created",
                url=event.url,
                seen_at=now,
            )
            await session.execute(row.on_conflict_do_nothing())
        case PipelineChanged():
            await _pipeline(session, event, run, now=now)
        case JobChanged():
            await _job(session, event, now=now)
        case ReportAccepted():
            await settled_reports.accept(session, event, run, now=now)
        case ReportDiscarded():
            await settled_reports.discard(session, event, now=now)
        case MergeRequestOpened():
            await merge_requests.opened(session, event, run, now=now)
        case MergeRequestChanged():
            await merge_requests.changed(session, event, run, bot=bot, now=now)
        case _:
            pass


def _ticket(event: TicketAdmitted | TicketRefreshed, run: RunRow) -> None:
    run.ticket = storable(msgspec.to_builtins(event.ticket))
    run.issue_id = event.ticket.id
    run.confidential = run.confidential or bool(event.ticket.security_level)
    run.base_shas = {str(path): sha for path, sha in event.base_shas.items()}


async def _pipeline(session: AsyncSession, event: PipelineChanged, run: RunRow, *, now: datetime) -> None:
    known = await session.get(PipelineRow, event.pipeline)
    if known is None and event.parent is None:  # the parents of ours are known from starting them
        await target_pipelines.changed(session, event, run, now=now)
        return
    if known is None:
        parent = None if event.parent is None else await session.get(PipelineRow, event.parent)
        session.add(
            PipelineRow(
                id=event.pipeline,
                project_id=event.project_id,
                run_id=run.id,
                iteration=parent.iteration if parent else run.iteration,
                parent_id=event.parent,
                status=event.status,
                url=event.url,
                ref=event.ref,
                sha=event.sha,
                created_at=event.created_at,
                finished_at=event.finished_at,
                seen_at=now,
            )
        )
        await session.flush()
        return
    known.seen_at = now
    known.url = event.url or known.url
    known.ref = event.ref or known.ref
    known.sha = event.sha or known.sha
    known.created_at = known.created_at or event.created_at
    if lifecycle.later(known.status, event.status) != known.status:
        known.status = event.status
        known.finished_at = event.finished_at or (now if lifecycle.is_over(event.status) else None)
    await session.flush()


async def _job(session: AsyncSession, event: JobChanged, *, now: datetime) -> None:
    known = await session.get(JobRow, event.job)
    if known is None:
        pipeline = await session.get(PipelineRow, event.pipeline)
        if pipeline is None:  # run_of found the run by this very pipeline
            return
        named = parse_job_name(event.name)
        known = JobRow(
            id=event.job,
            pipeline_id=event.pipeline,
            project_id=event.project_id,
            run_id=pipeline.run_id,
            iteration=pipeline.iteration,
            name=event.name,
            stage=event.stage,
            phase=named.phase if named else None,
            repository=named.repository if named else None,
            status="created",
            allow_failure=event.allow_failure,
            created_at=now,
            seen_at=now,
        )
        session.add(known)
    known.seen_at = now
    known.started_at = event.started_at or known.started_at
    known.queued_s = event.queued_s if event.queued_s is not None else known.queued_s
    if lifecycle.later(known.status, event.status) != known.status or known.status == "created":
        known.status = event.status
        known.allow_failure = event.allow_failure
        # hooks say `unknown_failure` of jobs that did not fail
        known.failure_reason = event.failure_reason if event.status == "failed" else None
        known.finished_at = event.finished_at or (now if lifecycle.is_over(event.status) else None)
        known.duration_s = event.duration_s
    await session.flush()
