"""How far a vendor was searched for what no hook told: kept for all workers, and over restarts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import CursorRow


async def read(session: AsyncSession, name: str) -> datetime | None:
    """Return up to when a search was made; None: never."""
    row = await session.get(CursorRow, name)
    return None if row is None else row.at


async def move(session: AsyncSession, name: str, *, to: datetime) -> None:
    """Note up to when a search was made."""
    row = insert(CursorRow).values(name=name, at=to)
    await session.execute(row.on_conflict_do_update(index_elements=[CursorRow.name], set_={"at": to}))
