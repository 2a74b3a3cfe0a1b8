"""Pipelines of the repositories' own for our branches: what their CI says of a fix. What is known only grows."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver.store.schema import MergeRequestRow, RunRow, TargetPipelineRow
from receiver.workflow import lifecycle
from receiver.workflow.events.pipeline_events import PipelineChanged

_OF_MERGE_REQUEST: Final = re.compile(r"refs/merge-requests/([0-9]{1,18})/(head|merge|train)")
"""The ref of a merge request's pipelines; a branch's has the branch (doc/ci/pipelines/merge_request_pipelines.md)."""


async def run_of(session: AsyncSession, event: PipelineChanged) -> RunId | None:
    """Return the run whose merge request a pipeline is about; of several the newest."""
    row = await _merge_request(session, event, run=None)
    return None if row is None else RunId(row.run_id)


async def _merge_request(session: AsyncSession, event: PipelineChanged, *, run: str | None) -> MergeRequestRow | None:
    rows = select(MergeRequestRow).where(MergeRequestRow.project_id == event.project_id)
    matched = _OF_MERGE_REQUEST.fullmatch(event.ref)
    if matched:
        rows = rows.where(MergeRequestRow.iid == int(matched[1]))
    elif event.ref:
        rows = rows.where(MergeRequestRow.source_branch == event.ref)
    else:
        return None
    if run is not None:
        rows = rows.where(MergeRequestRow.run_id == run)
    return await session.scalar(rows.order_by(MergeRequestRow.id.desc()).limit(1))


async def changed(session: AsyncSession, event: PipelineChanged, run: RunRow, *, now: datetime) -> bool:
    """Note what GitLab says of a repository's own pipeline."""
    row = await _merge_request(session, event, run=run.id)
    if row is None:
        return False
    known = await session.get(TargetPipelineRow, event.pipeline)
    is_new = known is None
    if known is None:
        known = TargetPipelineRow(
            id=event.pipeline,
            merge_request_id=row.id,
            sha=event.sha,
            source=event.source,
            status=event.status,
            url=event.url,
            created_at=event.created_at,
            finished_at=event.finished_at,
            seen_at=now,
        )
        session.add(known)
    known.seen_at = now
    known.url = event.url or known.url
    known.source = event.source or known.source
    if lifecycle.later(known.status, event.status) == known.status:
        return is_new
    known.status = event.status
    known.finished_at = event.finished_at or (now if lifecycle.is_over(event.status) else None)
    return True


async def statuses(session: AsyncSession, run: str) -> dict[int, str]:
    """Return how the pipelines of a run's merge requests were when GitLab last told."""
    rows = (
        select(TargetPipelineRow.id, TargetPipelineRow.status)
        .join(MergeRequestRow, MergeRequestRow.id == TargetPipelineRow.merge_request_id)
        .where(MergeRequestRow.run_id == run)
    )
    return {row.id: row.status for row in await session.execute(rows)}
