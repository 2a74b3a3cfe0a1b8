"""Retention: bodies, transcripts and evidence go after their time; verdicts, figures and hashes stay."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import BlobRow, ContextRow, DeliveryRow, TranscriptRow


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
    await session.execute(
        update(BlobRow).where(BlobRow.content.is_not(None), BlobRow.expires_at < now).values(content=None)
    )
    # texts of repositories: kept as long as the conversations that were told them
    await session.execute(delete(ContextRow).where(ContextRow.built_at < now - retention.transcripts))
    old = select(TranscriptRow.sha256).where(TranscriptRow.created_at < now - retention.transcripts)
    await session.execute(
        update(BlobRow).where(BlobRow.content.is_not(None), BlobRow.sha256.in_(old)).values(content=None)
    )
