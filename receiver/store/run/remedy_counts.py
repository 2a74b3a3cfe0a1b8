"""Count remedies by how far they came. Reads only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.insight.remedy_figures import RemedyCount
from receiver.store.schema import AppliedRemedyRow
from receiver.workflow.remedy_state import RemedyState


async def by_state(session: AsyncSession, *, since: datetime) -> list[RemedyCount]:
    """Return how many of each remedy that were matched since then are in each state."""
    row = AppliedRemedyRow
    rows = await session.execute(
        select(
            row.remedy,
            row.state,
            func.count().label("number"),
            func.max(row.tier).label("tier"),
            func.max(row.confidence).label("confidence"),
        )
        .where(row.matched_at >= since)
        .group_by(row.remedy, row.state)
        .order_by(row.remedy, row.state)
    )
    return [
        RemedyCount(
            remedy=one.remedy, tier=one.tier, confidence=one.confidence, state=RemedyState(one.state), count=one.number
        )
        for one in rows
    ]
