"""Where the status notes stand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import NoteRow


async def known(session: AsyncSession, run: str, target: str) -> NoteRow | None:
    """Return the note of a run at a target: `ticket`, `refusal`, or a merge request's repository."""
    return await session.get(NoteRow, (run, target))


async def keep(session: AsyncSession, run: str, target: str, *, note_id: str, sha256: str, now: datetime) -> None:
    """Note where a note stands and what it says."""
    values = {"note_id": note_id, "body_sha256": sha256, "updated_at": now}
    row = insert(NoteRow).values(run_id=run, target=target, **values)
    await session.execute(row.on_conflict_do_update(index_elements=["run_id", "target"], set_=values))
