"""Bytes by hash, each readable only by the runs that handed them in. Says nothing of what they are.

Equal bytes of several runs are stored once; a run that never handed them in can't read them, whoever knows their hash.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId, Sha256
from pipelines.language.wire import sha256
from receiver import limits
from receiver.store.postgres.database import StoreError, lock
from receiver.store.schema import BlobOwnerRow, BlobRow


class TooMuchError(StoreError):
    """The jobs of a run have handed in as many bytes as they may; the message says how many that is."""


async def keep(
    session: AsyncSession, content: bytes, *, run: RunId, now: datetime, retention_days: int
) -> tuple[Sha256, bool]:
    """Store bytes for a run; return their hash and whether they are new to it. What retention took away comes back.

    Raises TooMuchError.
    """
    await lock(session, f"blobs:{run}")
    if await total(session, run) + len(content) > limits.RUN_UPLOADS:
        raise TooMuchError(f"The jobs of this run have handed in {limits.RUN_UPLOADS} bytes, which is the limit.")
    digest = sha256(content)
    is_new = not await is_owned(session, digest, run=run)
    expires_at = now + timedelta(days=retention_days)
    row = insert(BlobRow).values(
        sha256=digest, content=content, size=len(content), run_id=run, created_at=now, expires_at=expires_at
    )
    again = {"content": row.excluded.content, "expires_at": func.greatest(BlobRow.expires_at, row.excluded.expires_at)}
    await session.execute(row.on_conflict_do_update(index_elements=["sha256"], set_=again))
    owner = insert(BlobOwnerRow).values(run_id=run, sha256=digest, created_at=now, expires_at=expires_at)
    longer = {
        "expires_at": func.greatest(BlobOwnerRow.expires_at, owner.excluded.expires_at),
        "purged_at": None,
    }
    await session.execute(owner.on_conflict_do_update(index_elements=["run_id", "sha256"], set_=longer))
    return digest, is_new


async def read(session: AsyncSession, digest: Sha256, *, run: RunId) -> bytes | None:
    """Return bytes that a run handed in; None when it did not, or when they are not kept for it any more."""
    kept = (
        select(BlobRow.content)
        .join(BlobOwnerRow, BlobOwnerRow.sha256 == BlobRow.sha256)
        .where(BlobRow.sha256 == digest, BlobOwnerRow.run_id == run, BlobOwnerRow.purged_at.is_(None))
    )
    return await session.scalar(kept)


async def is_owned(session: AsyncSession, digest: Sha256, *, run: RunId) -> bool:
    """Tell whether a run handed these bytes in, whether or not they are still kept."""
    return await session.get(BlobOwnerRow, (run, digest)) is not None


async def are_kept(session: AsyncSession, digests: Collection[Sha256], *, run: RunId) -> bool:
    """Tell whether a run can still read the bytes behind all of these hashes."""
    kept = (
        select(BlobRow.sha256)
        .join(BlobOwnerRow, BlobOwnerRow.sha256 == BlobRow.sha256)
        .where(
            BlobRow.sha256.in_(digests),
            BlobRow.content.is_not(None),
            BlobOwnerRow.run_id == run,
            BlobOwnerRow.purged_at.is_(None),
        )
    )
    return set(await session.scalars(kept)) == set(digests)


async def total(session: AsyncSession, run: RunId) -> int:
    """Return how many bytes the jobs of a run have handed in, kept or not."""
    sizes = (
        select(func.coalesce(func.sum(BlobRow.size), 0))
        .join(BlobOwnerRow, BlobOwnerRow.sha256 == BlobRow.sha256)
        .where(BlobOwnerRow.run_id == run)
    )
    return int(await session.scalar(sizes) or 0)
