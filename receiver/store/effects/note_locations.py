"""Where the status notes stand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import NoteRow, RunRow

TICKET = "ticket"
CONFIDENTIAL = "confidential"
"""Beside the status comment: what only some may read."""
REFUSAL = "refusal"
QUESTION, PLAN, ANSWER, REMINDER, HAND_OVER = "question", "plan", "answer", "reminder", "hand_over"

SAID_ONCE = frozenset({REFUSAL, QUESTION, PLAN, ANSWER, REMINDER, HAND_OVER})
"""What targets begin with, up to a colon, that each run has for itself."""


async def known(session: AsyncSession, run: str, target: str) -> NoteRow | None:
    """Return the note at a target: `ticket`, `refusal`, `question:1`, or a merge request's repository.

    A later run of the same ticket takes the status note of an earlier one over, so that there is one; refusals,
    questions, plans and answers are said each for itself.
    """
    mine = await session.get(NoteRow, (run, target))
    if mine is not None or target.partition(":")[0] in SAID_ONCE:
        return mine
    same_ticket = select(RunRow.issue_key).where(RunRow.id == run).scalar_subquery()
    earlier = (
        select(NoteRow)
        .join(RunRow, RunRow.id == NoteRow.run_id)
        .where(RunRow.issue_key == same_ticket, NoteRow.target == target)
        .order_by(NoteRow.updated_at.desc())
        .limit(1)
    )
    return await session.scalar(earlier)


async def keep(session: AsyncSession, run: str, target: str, *, note_id: str, sha256: str, now: datetime) -> None:
    """Note where a note stands and what it says."""
    values = {"note_id": note_id, "body_sha256": sha256, "updated_at": now}
    row = insert(NoteRow).values(run_id=run, target=target, **values)
    await session.execute(row.on_conflict_do_update(index_elements=["run_id", "target"], set_=values))
