"""Transcripts of agents, as jobs handed them in: JSON lines."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import BlobRow, TranscriptRow


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
    query = (
        select(TranscriptRow, BlobRow.content)
        .join(BlobRow, BlobRow.sha256 == TranscriptRow.sha256)
        .where(TranscriptRow.run_id == run, BlobRow.content.is_not(None))
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
