"""What jobs hand in: reports until they are settled, blobs by hash, transcripts. Accepts nothing by itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import ArtifactKind, Phase, PhaseReport, ProjectPath, RunId, Sha256
from pipelines.language.wire import encode, sha256
from receiver import limits
from receiver.store.jobs import reused_reports
from receiver.store.jobs.sessions import JobSession
from receiver.store.postgres.database import StoreError, lock
from receiver.store.postgres.json_text import storable
from receiver.store.schema import ArtifactRow, BlobRow, ReportRow, TranscriptRow


class TooMuchError(StoreError):
    """The jobs of a run have handed in as many bytes as they may; the message says how many that is."""


class Upstream(Struct, frozen=True, kw_only=True):
    """The newest report of a phase and repository, and what became of it."""

    report: PhaseReport
    state: str
    """`pending`, `accepted` or `discarded`."""
    reason: str


async def keep_blob(
    session: AsyncSession, content: bytes, *, run: RunId, now: datetime, retention_days: int
) -> tuple[Sha256, bool]:
    """Store bytes once; return their hash and whether they are new. Bytes that retention took away come back.

    Raises TooMuchError.
    """
    await lock(session, f"blobs:{run}")
    if await total_kept(session, run) + len(content) > limits.RUN_UPLOADS:
        raise TooMuchError(f"The jobs of this run have handed in {limits.RUN_UPLOADS} bytes, which is the limit.")
    digest = sha256(content)
    known = await session.scalar(select(BlobRow.sha256).where(BlobRow.sha256 == digest))
    row = insert(BlobRow).values(
        sha256=digest,
        content=content,
        size=len(content),
        run_id=run,
        created_at=now,
        expires_at=now + timedelta(days=retention_days),
    )
    again = {"content": row.excluded.content, "expires_at": func.greatest(BlobRow.expires_at, row.excluded.expires_at)}
    await session.execute(row.on_conflict_do_update(index_elements=["sha256"], set_=again))
    return digest, known is None


async def handed_in(session: AsyncSession, digest: Sha256, *, run: RunId) -> bool:
    """Tell whether a job of this run handed these bytes in first: a report may name no other run's."""
    own = select(BlobRow.sha256).where(BlobRow.sha256 == digest, BlobRow.run_id == run)
    return await session.scalar(own) is not None


async def total_kept(session: AsyncSession, run: RunId) -> int:
    """Return how many bytes the jobs of a run have handed in."""
    return int(await session.scalar(select(func.coalesce(func.sum(BlobRow.size), 0)).where(BlobRow.run_id == run)) or 0)


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


async def are_kept(session: AsyncSession, digests: Collection[Sha256]) -> bool:
    """Tell whether the bytes behind all of these hashes are still kept."""
    kept = select(BlobRow.sha256).where(BlobRow.sha256.in_(digests), BlobRow.content.is_not(None))
    return set(await session.scalars(kept)) == set(digests)


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
        if artifact.kind is ArtifactKind.TRANSCRIPT and await handed_in(session, artifact.sha256, run=job.run):
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
