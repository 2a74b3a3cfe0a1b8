"""What a phase usually costs: the mean of what it cost lately, from the ledger. Exact Decimals; unknown is None."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import Phase
from receiver.store.schema import UsageRow

LATELY: Final = timedelta(days=90)
CENT: Final = Decimal("0.0001")


async def of_phase(session: AsyncSession, phase: Phase, *, now: datetime) -> Decimal | None:
    """Return the mean cost of one pass of a phase through a repository; None where no cost is known."""
    passes = (
        select(func.sum(UsageRow.cost_usd).label("cost"))
        .where(UsageRow.phase == phase, UsageRow.state == "settled", UsageRow.reserved_at > now - LATELY)
        .group_by(UsageRow.run_id, UsageRow.iteration, UsageRow.repository)
        .having(func.count() == func.count(UsageRow.cost_usd))  # one call of unknown cost: that of the pass is unknown
        .subquery()
    )
    mean = await session.scalar(select(func.avg(passes.c.cost)))
    return None if mean is None else Decimal(mean).quantize(CENT)
