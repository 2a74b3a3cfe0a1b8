"""How far a vendor was searched for what no hook told, by time or number: kept for all workers, and over restarts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import CursorRow


async def read(session: AsyncSession, name: str) -> datetime | None:
    """Return up to when a search was made; None: never."""
    row = await session.get(CursorRow, name)
    return None if row is None else row.at


async def number(session: AsyncSession, name: str) -> int | None:
    """Return up to which number things were looked at; None: never."""
    row = await session.get(CursorRow, name)
    return None if row is None else row.number


async def move(session: AsyncSession, name: str, *, to: datetime, number: int | None = None) -> None:
    """Note up to when, and up to which number, a search was made."""
    reached = {"at": to, "number": number}
    row = insert(CursorRow).values(name=name, **reached)
    await session.execute(row.on_conflict_do_update(index_elements=[CursorRow.name], set_=reached))
