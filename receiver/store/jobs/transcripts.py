"""Transcripts of agents, as jobs handed them in: JSON lines."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import BlobOwnerRow, BlobRow, TranscriptRow


class StoredTranscript(Struct, frozen=True, kw_only=True):
    """One conversation."""

    iteration: int
    phase: str
    repository: str | None
    agent: str | None
    job: int
    lines: bytes
    """JSON lines."""


async def of_run(session: AsyncSession, run: str, *, phase: str | None = None) -> list[StoredTranscript]:
    """Return the conversations of a run that are still kept, in the order in which they arrived."""
    owned = and_(BlobOwnerRow.run_id == TranscriptRow.run_id, BlobOwnerRow.sha256 == TranscriptRow.sha256)
    query = (
        select(TranscriptRow, BlobRow.content)
        .join(BlobRow, BlobRow.sha256 == TranscriptRow.sha256)
        .join(BlobOwnerRow, owned)
        .where(TranscriptRow.run_id == run, BlobRow.content.is_not(None), BlobOwnerRow.purged_at.is_(None))
        .order_by(TranscriptRow.id)
    )
    if phase is not None:
        query = query.where(TranscriptRow.phase == phase)
    return [
        StoredTranscript(
            iteration=row.iteration,
            phase=row.phase,
            repository=row.repository,
            agent=row.agent,
            job=row.job_id,
            lines=content or b"",
        )
        for row, content in await session.execute(query)
    ]
