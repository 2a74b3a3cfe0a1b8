"""What became of merged fixes, and what people thought of them, as the rows `outcomes` and `feedback` say."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver.store.schema import EffectRow, FeedbackRow, MergeRequestRow, OutcomeRow, RunRow
from receiver.workflow.effects import WatchOutcome
from receiver.workflow.events.outcome_events import OutcomeSeen


async def seen(session: AsyncSession, event: OutcomeSeen, run: RunRow, *, now: datetime) -> bool:
    """Keep what a look told, the first time of each thing; return whether anything is news.

    The votes are those that stand: who took a thumb back has none.
    """
    row = await session.get(OutcomeRow, (run.id, event.repository))
    if row is None:
        row = OutcomeRow(run_id=run.id, repository=event.repository)
        session.add(row)
    before = (row.reverted_at, row.reopened_at)
    row.reverted_at = row.reverted_at or event.reverted_at
    row.reopened_at = row.reopened_at or event.reopened_at
    await session.flush()
    voted = await _vote(session, event, run, now=now)
    return voted or before != (row.reverted_at, row.reopened_at)


async def _vote(session: AsyncSession, event: OutcomeSeen, run: RunRow, *, now: datetime) -> bool:
    theirs = (FeedbackRow.run_id == run.id, FeedbackRow.target == event.repository)
    thumbs = (*theirs, FeedbackRow.verdict.in_(["up", "down"]))
    known = {one.actor: one for one in await session.scalars(select(FeedbackRow).where(*thumbs))}
    given = {vote.user: "up" if vote.is_up else "down" for vote in event.votes}
    if given == {actor: one.verdict for actor, one in known.items()}:
        return False
    await session.execute(delete(FeedbackRow).where(*thumbs))
    for actor, verdict in given.items():
        at = known[actor].at if actor in known and known[actor].verdict == verdict else now
        session.add(FeedbackRow(run_id=run.id, target=event.repository, actor=actor, verdict=verdict, at=at))
    await session.flush()
    return True


async def unwatched(
    session: AsyncSession, *, now: datetime, every: timedelta, until: timedelta
) -> list[tuple[RunId, str]]:
    """Return merged fixes, run and repository, that nobody looked at for `every`; the last look is after `until`."""
    looked_at = (
        select(func.max(EffectRow.created_at))
        .where(
            EffectRow.run_id == MergeRequestRow.run_id,
            EffectRow.kind == WatchOutcome.__name__,
            EffectRow.payload["repository"].astext == MergeRequestRow.repository,
        )
        .scalar_subquery()
    )
    rows = await session.execute(
        select(MergeRequestRow.run_id, MergeRequestRow.repository).where(
            MergeRequestRow.state == "merged",
            MergeRequestRow.merged_at > now - until - every,
            func.coalesce(looked_at, MergeRequestRow.merged_at) <= now - every,
        )
    )
    return [(RunId(run), repository) for run, repository in rows]
