"""Store the five indicators of a run's success when it reaches review and when it ends."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import IndicatorRow, RunRow
from receiver.store.story import rows
from receiver.workflow import lifecycle
from receiver.workflow.run import RunStatus


def moment_of(status: str) -> str | None:
    """Return the name of the moment that a status stands for: `in_review`, `end`, or None: nothing is stored."""
    if status == RunStatus.IN_REVIEW:
        return "in_review"
    return "end" if status in lifecycle.FINAL else None


async def keep(session: AsyncSession, run: RunRow, *, now: datetime) -> None:
    """Store the run's current indicators; replaces earlier values of the same moment."""
    moment = moment_of(run.status)
    if moment is None:
        return
    await session.flush()
    for one in (await rows.story(session, run)).indicators:
        values = {"answer": one.answer.value, "reason": one.reason, "at": now}
        row = insert(IndicatorRow).values(run_id=run.id, moment=moment, name=one.name.value, **values)
        await session.execute(row.on_conflict_do_update(index_elements=["run_id", "moment", "name"], set_=values))
