"""Store pipelines and jobs of runs from GitLab's events. A late event never moves a status back (`lifecycle.later`)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.generation.job_names import parse_job_name
from receiver.store.run import target_pipelines
from receiver.store.schema import JobRow, PipelineRow, ReportRow, RunRow
from receiver.workflow import lifecycle
from receiver.workflow.events.pipeline_events import JobChanged, PipelineChanged, PipelineStarted


async def started(session: AsyncSession, event: PipelineStarted, run: RunRow, *, now: datetime) -> bool:
    """Note a pipeline that was started for the run; a second one of the same kind and number is not the run's."""
    known = select(PipelineRow.id).where(
        PipelineRow.run_id == run.id,
        PipelineRow.kind == event.kind,
        PipelineRow.iteration == event.iteration,
        PipelineRow.parent_id.is_(None),
    )
    if await session.scalar(known.limit(1)) is not None:
        return False
    row = insert(PipelineRow).values(
        id=event.pipeline,
        project_id=event.project_id,
        run_id=run.id,
        kind=event.kind,
        iteration=event.iteration,
        status="created",
        url=event.url,
        seen_at=now,
    )
    return await session.scalar(row.on_conflict_do_nothing().returning(PipelineRow.id)) is not None


async def changed(session: AsyncSession, event: PipelineChanged, run: RunRow, *, now: datetime) -> bool:
    """Note how a pipeline is: one that we started, a child of one, or a repository's own."""
    known = await session.get(PipelineRow, event.pipeline)
    if known is None and event.parent is None:  # the parents of ours are known from starting them
        return await target_pipelines.changed(session, event, run, now=now)
    if known is None:
        return await _child(session, event, run, now=now)
    if known.run_id != run.id:
        return False
    known.seen_at = now
    known.url = known.url or event.url  # GitLab's answer came first, a hook tells what its sender likes
    known.ref = known.ref or event.ref
    known.sha = known.sha or event.sha
    known.created_at = known.created_at or event.created_at
    if lifecycle.later(known.status, event.status) == known.status:
        return False
    known.status = event.status
    known.finished_at = event.finished_at or (now if lifecycle.is_over(event.status) else None)
    return True


async def _child(session: AsyncSession, event: PipelineChanged, run: RunRow, *, now: datetime) -> bool:
    parent = await session.get(PipelineRow, event.parent)
    if parent is None or (parent.run_id, parent.project_id) != (run.id, event.project_id):
        return False
    session.add(
        PipelineRow(
            id=event.pipeline,
            project_id=event.project_id,
            run_id=run.id,
            kind=parent.kind,
            iteration=parent.iteration,
            parent_id=parent.id,
            status=event.status,
            url=event.url,
            ref=event.ref,
            sha=event.sha,
            created_at=event.created_at,
            finished_at=event.finished_at,
            seen_at=now,
        )
    )
    return True


async def job_statuses(session: AsyncSession, run: str) -> dict[int, str]:
    """Return how the jobs of all pipelines of a run are, as far as we know."""
    rows = await session.execute(select(JobRow.id, JobRow.status).where(JobRow.run_id == run))
    return {row.id: row.status for row in rows}


async def job_changed(session: AsyncSession, event: JobChanged, run: RunRow, *, now: datetime) -> bool:
    """Note how a job of one of the run's pipelines is."""
    known = await session.get(JobRow, event.job)
    is_new = known is None
    if known is None:
        pipeline = await session.get(PipelineRow, event.pipeline)
        if pipeline is None or pipeline.run_id != run.id:
            return False
        known = await _created(session, event, pipeline, now=now)
    elif known.run_id != run.id:
        return False
    known.seen_at = now
    known.started_at = known.started_at or event.started_at
    if event.queued_s is not None:
        known.queued_s = max(known.queued_s or 0.0, event.queued_s)  # it grows until the job starts
    if not is_new and lifecycle.later(known.status, event.status) == known.status:
        return False
    known.status = event.status
    known.allow_failure = event.allow_failure  # GitLab may set it when the job fails (`allow_failure:exit_codes`)
    known.failure_reason = event.failure_reason if event.status == "failed" else None
    known.finished_at = event.finished_at or (now if lifecycle.is_over(event.status) else None)
    known.duration_s = event.duration_s
    return True


async def _created(session: AsyncSession, event: JobChanged, pipeline: PipelineRow, *, now: datetime) -> JobRow:
    named = parse_job_name(event.name)
    reported = select(ReportRow.report["agent"].astext).where(
        ReportRow.job_id == event.job, ReportRow.state != "pending"
    )
    row = JobRow(
        id=event.job,
        pipeline_id=event.pipeline,
        project_id=event.project_id,
        run_id=pipeline.run_id,
        kind=pipeline.kind,
        iteration=pipeline.iteration,
        name=event.name,
        stage=event.stage,
        phase=named.phase if named else None,
        repository=named.repository if named else None,
        agent=await session.scalar(reported.limit(1)),  # its report may have been settled before its first hook
        created_at=now,
    )
    session.add(row)
    return row
