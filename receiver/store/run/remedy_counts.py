"""How many remedies are in which state, over all runs. Reads only."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import AppliedRemedyRow
from receiver.workflow.remedy_state import RemedyState


async def by_state(session: AsyncSession) -> dict[str, dict[RemedyState, int]]:
    """Return the number of each remedy in each state."""
    kind = (AppliedRemedyRow.remedy, AppliedRemedyRow.state)
    found: dict[str, dict[RemedyState, int]] = {}
    for remedy, state, count in await session.execute(select(*kind, func.count()).group_by(*kind)):
        found.setdefault(remedy, {})[RemedyState(state)] = count
    return found
