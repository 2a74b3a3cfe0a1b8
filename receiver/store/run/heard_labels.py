"""Labels on tickets that were heard of, by a hook or by a search."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import DateTime, and_, case, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from receiver import limits
from receiver.store.schema import DecisionRow, RunRow


async def was_heard(session: AsyncSession, issue_key: str, *, at: datetime, slack: timedelta = timedelta()) -> bool:
    """Tell whether a label that was set at a time, or a later one, was decided on. The caller holds the ticket's lock.

    Whatever was decided: a label on a ticket at work is heard, too. Times of labels are compared by Jira's own clock. A
    start of which no such time is known counts when it was decided on after that time, by our clock, or up to `slack`
    before it.
    """
    is_label = DecisionRow.event_kind == "IssueLabelled"
    told_at = case((is_label, cast(DecisionRow.event["at"].astext, DateTime(timezone=True))))
    # a time that lies ahead of the hook that told it is a mistake, and must not hide all labels until then
    is_timed = and_(told_at.is_not(None), told_at <= DecisionRow.at + limits.LABELS_OVERLAP)
    known = case((is_timed, told_at >= at - limits.LABEL_TOLD_TWICE), else_=DecisionRow.at >= at - slack)
    told = (
        select(DecisionRow.id)
        .join(RunRow, RunRow.id == DecisionRow.run_id)
        .where(RunRow.issue_key == issue_key, or_(is_label, DecisionRow.event_kind == "StartRequested"), known)
    )
    return await session.scalar(told.limit(1)) is not None
