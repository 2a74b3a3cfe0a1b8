"""Retention: bodies, transcripts and evidence go after their time; verdicts, figures and hashes stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import and_, delete, exists, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import BlobOwnerRow, BlobRow, ContextRow, DeliveryRow, TranscriptRow


class Retention(Struct, frozen=True, kw_only=True):
    """How long things are kept."""

    deliveries: timedelta
    transcripts: timedelta


async def expired(session: AsyncSession, *, retention: Retention, now: datetime) -> None:
    """Remove the content of what is past its time."""
    await session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.body.is_not(None),
            DeliveryRow.verdict.is_not(None),
            DeliveryRow.received_at < now - retention.deliveries,
        )
        .values(body=None)
    )
    # texts of repositories: kept as long as the conversations that were told them
    await session.execute(delete(ContextRow).where(ContextRow.built_at < now - retention.transcripts))
    await _purge_blobs(session, transcripts_before=now - retention.transcripts, now=now)


async def _purge_blobs(session: AsyncSession, *, transcripts_before: datetime, now: datetime) -> None:
    """Take blobs from the runs whose time with them is over, and remove those that no run has any more."""
    old = select(TranscriptRow.run_id, TranscriptRow.sha256).where(TranscriptRow.created_at < transcripts_before)
    is_over = and_(
        BlobOwnerRow.purged_at.is_(None),
        or_(BlobOwnerRow.expires_at < now, tuple_(BlobOwnerRow.run_id, BlobOwnerRow.sha256).in_(old)),
    )
    over = select(BlobOwnerRow.sha256).where(is_over)
    # Locked first, as by a job that hands the same bytes in: it comes before or after, never between.
    locked = select(BlobRow.sha256).where(BlobRow.sha256.in_(over)).order_by(BlobRow.sha256).with_for_update()
    digests = (await session.scalars(locked)).all()
    if not digests:
        return
    await session.execute(update(BlobOwnerRow).where(is_over, BlobOwnerRow.sha256.in_(digests)).values(purged_at=now))
    kept = exists().where(BlobOwnerRow.sha256 == BlobRow.sha256, BlobOwnerRow.purged_at.is_(None))
    await session.execute(update(BlobRow).where(BlobRow.sha256.in_(digests), ~kept).values(content=None))
