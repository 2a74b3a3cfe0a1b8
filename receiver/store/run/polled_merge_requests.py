"""Merge requests that GitLab is asked about: which ones, and what is known of each. Reads only."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import BigInteger, DateTime, cast, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver import limits
from receiver.store.run import merge_requests, standing_approvals, target_pipelines
from receiver.store.run.standing_approvals import Approval, Place
from receiver.store.schema import DecisionRow, EffectRow, MergeRequestEventRow, MergeRequestRow, RunRow
from receiver.workflow import lifecycle
from receiver.workflow.effects import OpenDraft, OpenMergeRequest, PollMergeRequest, StartTargetPipeline
from receiver.workflow.events.message_events import NotePosted


class Known(Struct, frozen=True, kw_only=True):
    """What we were told of a run's merge requests."""

    pipelines: dict[int, str]
    """The status of each of the repositories' own pipelines."""
    approvals: dict[Place, dict[int, Approval]]
    """Those that stand, by the user who gave it."""
    heads: dict[Place, frozenset[str]]
    """Commits that were at the head; none at all while one of our own may be on its way."""


async def followed(session: AsyncSession, *, now: datetime) -> dict[Place, RunId]:
    """Return the merge requests with which people may still do something, and the newest run of each."""
    newest = (
        select(MergeRequestRow, RunRow.status, RunRow.finished_at)
        .join(RunRow, RunRow.id == MergeRequestRow.run_id)
        .ext(distinct_on(MergeRequestRow.project_id, MergeRequestRow.iid))
        .order_by(MergeRequestRow.project_id, MergeRequestRow.iid, MergeRequestRow.id.desc())
        .subquery()
    )
    rows = await session.execute(
        select(newest.c.project_id, newest.c.iid, newest.c.run_id).where(
            newest.c.state != "merged",
            or_(
                newest.c.status.in_(lifecycle.ACTIVE),
                newest.c.finished_at > now - limits.RUN_FOLLOWED,
            ),
        )
    )
    return {(row.project_id, row.iid): RunId(row.run_id) for row in rows}


async def read_before(session: AsyncSession, run: str, effect: PollMergeRequest) -> datetime:
    """Return up to which change a merge request was read before; not at all: when the run began, or earlier."""
    payload = EffectRow.payload
    updated_at = cast(payload["updated_at"].astext, DateTime(timezone=True))
    before = select(func.max(updated_at)).where(
        EffectRow.run_id == run,
        EffectRow.kind == PollMergeRequest.__name__,
        EffectRow.state == "done",
        payload["project_id"].astext.cast(BigInteger) == effect.project_id,
        payload["iid"].astext.cast(BigInteger) == effect.iid,
        updated_at < effect.updated_at,
    )
    began = (await session.scalars(select(RunRow.created_at).where(RunRow.id == run))).one()
    return (await session.scalar(before) or began) - limits.HOOK_ON_ITS_WAY


async def heard_notes(session: AsyncSession, run: str) -> frozenset[int]:
    """Return the notes on merge requests of a run that it was told of."""
    told = select(DecisionRow.event["note"].astext.cast(BigInteger)).where(
        DecisionRow.run_id == run, DecisionRow.event_kind == NotePosted.__name__
    )
    return frozenset(await session.scalars(told))


async def known(session: AsyncSession, run: str) -> Known:
    """Return what we were told of a run's merge requests."""
    return Known(
        pipelines=await target_pipelines.statuses(session, run),
        approvals=await standing_approvals.of_run(session, run),
        heads=await _heads(session, run),
    )


async def _heads(session: AsyncSession, run: str) -> dict[Place, frozenset[str]]:
    ours = (OpenMergeRequest.__name__, OpenDraft.__name__, StartTargetPipeline.__name__)
    pending = select(EffectRow.id).where(
        EffectRow.run_id == run, EffectRow.state == "pending", EffectRow.kind.in_(ours)
    )
    if await session.scalar(pending.limit(1)) is not None:
        return {}
    found: dict[Place, frozenset[str]] = {}
    for row in await merge_requests.of_run(session, run):
        told = select(MergeRequestEventRow.head_sha).where(MergeRequestEventRow.merge_request_id == row.id)
        found[row.project_id, row.iid] = frozenset({row.head_sha, row.seen_head_sha, *await session.scalars(told)})
    return found
