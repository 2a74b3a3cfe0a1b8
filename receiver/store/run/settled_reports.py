"""Reports as GitLab settled them: accepted or discarded, and the plan that an accepted analysis brings."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import AnalysisResult, Phase, PhaseReport, Plan, ReportOutcome
from receiver.store.jobs import reused_reports, sessions, submissions
from receiver.store.jobs.submissions import Arrival
from receiver.store.run import remedies
from receiver.store.schema import JobRow, PlanRow, ReportRow, RunRow
from receiver.workflow.events.pipeline_events import ReportAccepted, ReportDiscarded
from receiver.workflow.stages.plans import in_scope

REPLACED = "A newer job of the same phase reported after it."


class PendingReport(Struct, frozen=True, kw_only=True):
    """A report that waits for GitLab's word on its job."""

    id: int
    project_id: int
    pipeline: int
    job: int
    report: PhaseReport


async def pending(session: AsyncSession, run: str, *, iteration: int) -> list[PendingReport]:
    """Return the reports of an iteration that GitLab has not been asked about, oldest job first."""
    rows = await session.scalars(
        select(ReportRow)
        .where(ReportRow.run_id == run, ReportRow.iteration == iteration, ReportRow.state == "pending")
        .order_by(ReportRow.job_id, ReportRow.id)
    )
    return [
        PendingReport(
            id=row.id,
            project_id=row.project_id,
            pipeline=row.pipeline_id,
            job=row.job_id,
            report=msgspec.convert(row.report, PhaseReport),
        )
        for row in rows
    ]


async def accept(session: AsyncSession, event: ReportAccepted, run: RunRow, *, now: datetime) -> bool:
    """Let a job's report count, unless a newer job of its phase and repository has one that counts."""
    report = event.report
    same = (
        ReportRow.run_id == run.id,
        ReportRow.kind == report.kind,
        ReportRow.iteration == report.iteration,
        ReportRow.phase == report.phase,
        ReportRow.repository.is_not_distinct_from(report.repository),
    )
    this = select(ReportRow).where(*same, ReportRow.job_id == event.job, ReportRow.state == "pending")
    row = await session.scalar(this.order_by(ReportRow.id.desc()).limit(1))
    if row is None:
        return False
    await session.execute(update(JobRow).where(JobRow.id == event.job).values(agent=report.agent))
    newer = select(ReportRow.id).where(*same, ReportRow.job_id > event.job, ReportRow.state == "accepted")
    if await session.scalar(newer.limit(1)) is not None:
        row.state, row.reason, row.settled_at = "discarded", REPLACED, now
        return True
    older = update(ReportRow).where(*same, ReportRow.job_id < event.job, ReportRow.state != "discarded")
    await session.execute(older.values(state="discarded", reason=REPLACED, settled_at=now))
    row.state, row.settled_at = "accepted", now
    await remedies.verified(session, report, run, now=now)
    if isinstance(report.result, AnalysisResult):
        await _accept_plan(session, report, report.result.plan, row=row, run=run, now=now)
    return True


async def _accept_plan(
    session: AsyncSession, report: PhaseReport, plan: Plan, *, row: ReportRow, run: RunRow, now: datetime
) -> None:
    stored = insert(PlanRow).values(
        run_id=run.id,
        iteration=report.iteration,
        report_id=row.id,
        plan=msgspec.to_builtins(plan),
        accepted_at=now,
    )
    names = ["run_id", "iteration", "report_id"]
    await session.execute(stored.on_conflict_do_update(index_elements=names, set_={"accepted_at": now}))
    if report.iteration == run.iteration:
        run.repositories = list(in_scope(plan))


async def discard(session: AsyncSession, event: ReportDiscarded, run: RunRow, *, now: datetime) -> bool:
    """Keep a report as the reason for people, without letting it count; one that was never stored is stored now."""
    job = await sessions.first_of(session, event.job)
    if job is not None and job.run == run.id and not await submissions.has_reported(session, event.job):
        await submissions.keep_report(session, event.report, job=job, now=now, arrival=Arrival.COLLECTED)
    settled = (
        update(ReportRow)
        .where(ReportRow.run_id == run.id, ReportRow.job_id == event.job, ReportRow.state == "pending")
        .values(state="discarded", reason=event.reason, settled_at=now)
        .returning(ReportRow.id)
    )
    if (await session.scalars(settled)).first() is None:
        return False
    await session.execute(update(JobRow).where(JobRow.id == event.job).values(agent=event.report.agent))
    if event.report.outcome is ReportOutcome.REJECTED:
        await remedies.verified(session, event.report, run, now=now)
    return True


async def accepted(
    session: AsyncSession, run: str, *, iteration: int, phase: Phase, repository: str | None
) -> tuple[int, PhaseReport] | None:
    """Return the report that counts in an iteration for a phase and repository, with its job."""
    row = await session.scalar(
        select(ReportRow)
        .where(
            reused_reports.counts_in(run, iteration),
            ReportRow.phase == phase,
            ReportRow.repository.is_not_distinct_from(repository),
            ReportRow.state == "accepted",
        )
        .order_by(*reused_reports.NEWEST_FIRST)
        .limit(1)
    )
    return None if row is None else (row.job_id, msgspec.convert(row.report, PhaseReport))
