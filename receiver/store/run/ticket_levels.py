"""Which runs a ticket's security level stops or has stopped, when people set it after the run began."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver.store.schema import DecisionRow, MergeRequestRow, RunRow
from receiver.workflow import lifecycle
from receiver.workflow.end_codes import EndCode
from receiver.workflow.events.ticket_events import IssueRestricted, TicketRefreshed
from receiver.workflow.run import Verdict


async def open_to_all(session: AsyncSession, issue_key: str) -> list[RunId]:
    """Return the runs of a ticket that are not confidential, and are at work or have merge requests."""
    requested = select(MergeRequestRow.id).where(MergeRequestRow.run_id == RunRow.id).exists()
    found = select(RunRow.id).where(
        RunRow.issue_key == issue_key,
        RunRow.confidential.is_(False),
        or_(RunRow.status.in_(lifecycle.ACTIVE), requested),
    )
    return [RunId(one) for one in await session.scalars(found.order_by(RunRow.created_at.desc()))]


async def is_stopped(session: AsyncSession, run: RunId) -> bool:
    """Return whether the ticket of a public run was restricted while it worked or after its end: nothing goes on."""
    withdrawn = select(DecisionRow.id).where(
        DecisionRow.run_id == RunRow.id,
        DecisionRow.event_kind.in_([IssueRestricted.__name__, TicketRefreshed.__name__]),
        DecisionRow.verdict == Verdict.ACTED,
        DecisionRow.status_before.in_(lifecycle.FINAL),
    )
    stopped = or_(RunRow.reason_code == EndCode.RESTRICTED, withdrawn.exists())
    return await session.scalar(select(RunRow.id).where(RunRow.id == run, stopped)) is not None
