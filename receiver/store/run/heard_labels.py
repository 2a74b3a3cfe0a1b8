"""Labels on tickets that were heard of, by a hook or by a search."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import DateTime, and_, case, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from receiver import limits
from receiver.store.schema import DecisionRow, RunRow
from receiver.workflow.events.ticket_events import LabelChange


async def was_heard(
    session: AsyncSession,
    issue_key: str,
    *,
    at: datetime,
    slack: timedelta = timedelta(),
    change: LabelChange | None = None,
) -> bool:
    """Tell whether a label that was set at a time, or a later one, was decided on. The caller holds the ticket's lock.

    `change`: another change of a label than that the start label was set.

    Whatever was decided: a label on a ticket at work is heard, too. Times of labels are compared by Jira's own clock. A
    start of which no such time is known counts when it was decided on after that time, by our clock, or up to `slack`
    before it.
    """
    is_label = DecisionRow.event_kind == "IssueLabelled"
    is_start = or_(is_label, DecisionRow.event_kind == "StartRequested")
    if change is not None:
        is_label = (DecisionRow.event_kind == "LabelChanged") & (DecisionRow.event["change"].astext == change)
        is_start = is_label
    told_at = case((is_label, cast(DecisionRow.event["at"].astext, DateTime(timezone=True))))
    # a time that lies ahead of the hook that told it is a mistake, and must not hide all labels until then
    is_timed = and_(told_at.is_not(None), told_at <= DecisionRow.at + limits.LABELS_OVERLAP)
    known = case((is_timed, told_at >= at - limits.LABEL_TOLD_TWICE), else_=DecisionRow.at >= at - slack)
    told = (
        select(DecisionRow.id)
        .join(RunRow, RunRow.id == DecisionRow.run_id)
        .where(RunRow.issue_key == issue_key, is_start, known)
    )
    return await session.scalar(told.limit(1)) is not None
