"""What jobs report, until it is settled, and the transcripts that they name. Accepts nothing by itself."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import ArtifactKind, Phase, PhaseReport, ProjectPath, RunId
from pipelines.language.wire import encode, sha256
from receiver.store.jobs import blobs, reused_reports
from receiver.store.jobs.sessions import JobSession
from receiver.store.postgres.database import lock
from receiver.store.postgres.json_text import storable
from receiver.store.schema import ArtifactRow, ReportRow, TranscriptRow


class Upstream(Struct, frozen=True, kw_only=True):
    """The newest report of a phase and repository, and what became of it."""

    report: PhaseReport
    state: str
    """`pending`, `accepted` or `discarded`."""
    reason: str


class Arrival(Enum):
    """How a report came to us."""

    POSTED = "posted"
    COLLECTED = "collected"
    """It did not arrive; it was fetched from the artifacts of its job, or found to be missing there."""


class Kept(Enum):
    """What became of a posted report."""

    NEW = "new"
    SAME = "same"
    """The job had posted the same before."""
    SECOND = "second"
    """The job had posted another one: nothing was stored."""


async def has_reported(session: AsyncSession, job: int) -> bool:
    """Tell whether a report of this job is stored, whatever became of it."""
    return await session.scalar(select(ReportRow.id).where(ReportRow.job_id == job).limit(1)) is not None


async def keep_report(
    session: AsyncSession, report: PhaseReport, *, job: JobSession, now: datetime, arrival: Arrival = Arrival.POSTED
) -> Kept:
    """Store a job's report as pending. A job reports once; a second report is refused.

    So a report forged after the real one is refused. One forged before it makes the real one refused: the job then
    fails, and reports of failed jobs do not count.
    """
    await lock(session, f"report:{job.job_id}")
    digest = sha256(encode(report))
    there = await session.scalar(select(ReportRow.sha256).where(ReportRow.job_id == job.job_id).limit(1))
    if there is not None:
        return Kept.SAME if there == digest else Kept.SECOND
    document: dict[str, Any] = storable(msgspec.to_builtins(report))
    row = insert(ReportRow).values(
        run_id=job.run,
        kind=job.kind,
        iteration=job.iteration,
        phase=job.phase,
        repository=job.repository,
        project_id=job.project_id,
        pipeline_id=job.pipeline_id,
        job_id=job.job_id,
        session_id=job.id if arrival is Arrival.POSTED else None,
        sha256=digest,
        report=document,
        outcome=report.outcome,
        received_at=now,
    )
    stored = await session.scalar(row.on_conflict_do_nothing().returning(ReportRow.id))
    if stored is None:
        return Kept.SAME
    for artifact in report.artifacts:
        session.add(
            ArtifactRow(
                report_id=stored,
                kind=artifact.kind,
                path=artifact.path,
                sha256=artifact.sha256,
                size=artifact.size,
            )
        )
        if artifact.kind is ArtifactKind.TRANSCRIPT and await blobs.is_owned(session, artifact.sha256, run=job.run):
            transcript = insert(TranscriptRow).values(
                run_id=job.run,
                iteration=job.iteration,
                phase=job.phase,
                repository=job.repository,
                agent=report.agent,
                job_id=job.job_id,
                sha256=artifact.sha256,
                created_at=now,
            )
            await session.execute(transcript.on_conflict_do_nothing())
    return Kept.NEW


async def newest(
    session: AsyncSession, run: RunId, iteration: int, phase: Phase, repository: ProjectPath | None
) -> Upstream | None:
    """Return the newest report of a phase that counts in an iteration; None when none has arrived."""
    query = (
        select(ReportRow)
        .where(
            reused_reports.counts_in(run, iteration),
            ReportRow.phase == phase,
            ReportRow.repository.is_(None) if repository is None else ReportRow.repository == repository,
        )
        .order_by(*reused_reports.NEWEST_FIRST)
        .limit(1)
    )
    row = await session.scalar(query)
    if row is None:
        return None
    return Upstream(report=msgspec.convert(row.report, PhaseReport), state=row.state, reason=row.reason)
