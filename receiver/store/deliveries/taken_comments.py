"""Comments on tickets that were taken in: each has one effect, whichever run of the ticket it reached."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import CommentCommandRow, DecisionRow, EffectRow, RunRow
from receiver.workflow.effects import CommentRefusal, ReadComment
from receiver.workflow.events.message_events import IssueCommented
from receiver.workflow.run import Verdict


async def take(session: AsyncSession, run: str, *, issue_key: str, comment: str, command: str, now: datetime) -> bool:
    """Note that a comment's command is taken in; False when it was before."""
    row = insert(CommentCommandRow).values(issue_key=issue_key, comment_id=comment, command=command, run_id=run, at=now)
    taken = await session.scalar(row.on_conflict_do_nothing().returning(CommentCommandRow.comment_id))
    return taken is not None


async def heard(session: AsyncSession, issue_key: str) -> frozenset[str]:
    """Return the comments on a ticket that its runs were told of; one that could not be read counts as unheard."""
    read = (
        select(EffectRow.payload["comment"].astext)
        .join(RunRow, RunRow.id == EffectRow.run_id)
        .where(RunRow.issue_key == issue_key, EffectRow.kind == ReadComment.__name__, EffectRow.state != "given_up")
    )
    left_alone = (
        select(DecisionRow.event["comment"].astext)
        .join(RunRow, RunRow.id == DecisionRow.run_id)
        .where(
            RunRow.issue_key == issue_key,
            DecisionRow.event_kind == IssueCommented.__name__,
            DecisionRow.verdict == Verdict.NOTED,
        )
    )
    return frozenset(await session.scalars(read.union(left_alone)))


async def refused(session: AsyncSession, issue_key: str, author: str) -> int:
    """Return how often somebody was told on a ticket, by any of its runs, why nothing was started."""
    wanted = (
        select(func.count())
        .select_from(EffectRow)
        .join(RunRow, RunRow.id == EffectRow.run_id)
        .where(
            RunRow.issue_key == issue_key,
            EffectRow.kind == CommentRefusal.__name__,
            EffectRow.payload["author"].astext == author,
            EffectRow.state == "done",
            EffectRow.result["comment"].astext.is_not(None),
        )
    )
    return await session.scalar(wanted) or 0
