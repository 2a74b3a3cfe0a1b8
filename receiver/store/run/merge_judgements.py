"""What looks at merge requests ended with, as far as later looks and people have to know it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import MergeRequestRow, RunRow
from receiver.workflow.events.merge_request_events import FOR_PEOPLE, MergeAnswer, MergeJudged


async def judged(session: AsyncSession, event: MergeJudged, run: RunRow) -> bool:
    """Note what a look at a merge request ended with; return whether that is news."""
    row = await _row(session, event, run)
    if row is None:
        return False
    before = (row.merge_answer, row.merge_sentence, row.merge_head_sha)
    if before == (event.answer, event.sentence, event.head_sha) or row.merge_answer == MergeAnswer.MERGED:
        return False
    row.merge_answer, row.merge_sentence, row.merge_head_sha = event.answer, event.sentence, event.head_sha
    if event.approved_by:
        row.merge_approved_by = list(event.approved_by)
    if event.answer is MergeAnswer.REBASE:
        row.rebased_from = event.head_sha
    if event.answer is MergeAnswer.BOARDED:
        row.train_head_sha = event.head_sha
    return True


async def is_for_people(session: AsyncSession, event: MergeJudged, run: RunRow) -> bool:
    """Return whether the look before left people something to do."""
    row = await _row(session, event, run)
    return row is not None and row.merge_answer in FOR_PEOPLE


async def _row(session: AsyncSession, event: MergeJudged, run: RunRow) -> MergeRequestRow | None:
    rows = select(MergeRequestRow).where(
        MergeRequestRow.run_id == run.id,
        MergeRequestRow.repository == event.repository,
        MergeRequestRow.iid == event.iid,
    )
    found: MergeRequestRow | None = await session.scalar(rows)
    return found
