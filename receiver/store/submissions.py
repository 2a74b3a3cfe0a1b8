"""What jobs hand in: reports until they are settled, blobs by hash, transcripts. Accepts nothing by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.model import ArtifactKind, Phase, PhaseReport, ProjectPath, RunId, Sha256
from pipelines.wire import encode, sha256
from receiver.store.schema import ArtifactRow, BlobRow, ReportRow, TranscriptRow
from receiver.store.sessions import JobSession


class Upstream(Struct, frozen=True, kw_only=True):
    """The newest report of a phase and repository, and what became of it."""

    report: PhaseReport
    state: str
    """`pending`, `accepted` or `discarded`."""
    reason: str


async def keep_blob(
    session: AsyncSession, content: bytes, *, run: RunId, now: datetime, retention_days: int
) -> tuple[Sha256, bool]:
    """Store bytes once; return their hash and whether they are new."""
    digest = sha256(content)
    row = insert(BlobRow).values(
        sha256=digest,
        content=content,
        size=len(content),
        run_id=run,
        created_at=now,
        expires_at=now + timedelta(days=retention_days),
    )
    stored = await session.scalar(row.on_conflict_do_nothing().returning(BlobRow.sha256))
    return digest, stored is not None


async def total_kept(session: AsyncSession, run: RunId) -> int:
    """Return how many bytes the jobs of a run have handed in."""
    return int(await session.scalar(select(func.coalesce(func.sum(BlobRow.size), 0)).where(BlobRow.run_id == run)) or 0)


async def keep_report(session: AsyncSession, report: PhaseReport, *, job: JobSession, now: datetime) -> bool:
    """Store a report as pending; False when this job has posted the same before."""
    body = encode(report)
    document: dict[str, Any] = msgspec.to_builtins(report)
    row = insert(ReportRow).values(
        run_id=job.run,
        iteration=job.iteration,
        phase=job.phase,
        repository=job.repository,
        project_id=job.project_id,
        pipeline_id=job.pipeline_id,
        job_id=job.job_id,
        session_id=job.id,
        sha256=sha256(body),
        report=document,
        outcome=report.outcome,
        received_at=now,
    )
    stored = await session.scalar(row.on_conflict_do_nothing().returning(ReportRow.id))
    if stored is None:
        return False
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
        if artifact.kind is ArtifactKind.TRANSCRIPT:
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
    return True


async def newest(
    session: AsyncSession, run: RunId, iteration: int, phase: Phase, repository: ProjectPath | None
) -> Upstream | None:
    """Return the newest report of a phase, that of the newest job; None when none has arrived."""
    query = (
        select(ReportRow)
        .where(
            ReportRow.run_id == run,
            ReportRow.iteration == iteration,
            ReportRow.phase == phase,
            ReportRow.repository.is_(None) if repository is None else ReportRow.repository == repository,
        )
        .order_by(ReportRow.job_id.desc(), ReportRow.id.desc())
        .limit(1)
    )
    row = await session.scalar(query)
    if row is None:
        return None
    return Upstream(report=msgspec.convert(row.report, PhaseReport), state=row.state, reason=row.reason)
