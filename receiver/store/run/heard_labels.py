"""Labels on tickets that were heard of, by a hook or by a search."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.run import runs
from receiver.store.schema import DecisionRow, RunRow


async def was_heard(session: AsyncSession, issue_key: str, *, since: datetime) -> bool:
    """Tell whether a start of this ticket was decided on since a time; nobody decides on one while the caller does.

    Whatever was decided: a label on a ticket at work is heard, too.
    """
    await runs.lock_issue(session, issue_key)
    told = (
        select(DecisionRow.id)
        .join(RunRow, RunRow.id == DecisionRow.run_id)
        .where(RunRow.issue_key == issue_key, DecisionRow.event_kind.in_(("IssueLabelled", "StartRequested")))
        .where(DecisionRow.at >= since)
    )
    return await session.scalar(told.limit(1)) is not None
