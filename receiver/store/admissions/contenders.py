"""The runs that have a pipeline and those that wait for one. Read under the lock that admits runs, one at a time."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from pipelines.language.policy import Concurrency
from receiver import limits
from receiver.store.postgres.database import lock
from receiver.store.schema import EffectRow, PipelineRow, RunRow
from receiver.workflow import lifecycle
from receiver.workflow.run import RunStatus
from receiver.workflow.turns import Contender, RunQueue, order


async def lock_admission(session: AsyncSession) -> None:
    """Wait until nobody else admits a run, and keep it so until the transaction ends.

    Taken after the lock of a ticket and before that of any run's row, so that nobody waits in a circle.
    """
    await lock(session, "admission")


async def queue(session: AsyncSession, row: RunRow | None, *, allowed: Concurrency, now: datetime) -> RunQueue:
    """Return what the limits count, as seen by a run whose row the caller holds; None: by nobody."""
    everybody = await _everybody(session, now=now, without=None if row is None else row.id)
    if row is None:
        return replace(everybody, limits=allowed)
    since = row.status_at if row.status == RunStatus.QUEUED else now
    return replace(everybody, limits=allowed, own=_contender(row, since=since))


async def positions(session: AsyncSession) -> dict[str, int]:
    """Return the place of each queued run, from 1. Needs no lock: it is for people."""
    everybody = await _everybody(session, now=func.now(), without=None)
    return {one.run: place for place, one in enumerate(order(everybody), start=1)}


async def was_offered(session: AsyncSession, run: RunId) -> bool:
    """Tell whether somebody is about to ask on whether it is this run's turn."""
    pending = EffectRow.run_id == run, EffectRow.kind == "OfferTurn", EffectRow.state == "pending"
    return await session.scalar(select(EffectRow.id).where(*pending).limit(1)) is not None


async def _everybody(
    session: AsyncSession, *, now: datetime | ColumnElement[datetime], without: str | None
) -> RunQueue:
    others = RunRow.id.is_distinct_from(without)
    return RunQueue(
        working=await _contenders(session, and_(_has_pipeline(now), others)),
        waiting=await _contenders(session, RunRow.status == RunStatus.QUEUED),
    )


def _has_pipeline(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return what is true of runs at work, and for a while of those that left a pipeline behind which is not over."""
    left = exists().where(
        PipelineRow.run_id == RunRow.id, PipelineRow.parent_id.is_(None), PipelineRow.status.not_in(lifecycle.OVER)
    )
    recent = and_(
        RunRow.status != RunStatus.QUEUED, RunRow.status_at > now - limits.PIPELINE_LEFT_BEHIND, left.correlate(RunRow)
    )
    return or_(RunRow.status.in_(lifecycle.AT_WORK), recent)


async def _contenders(session: AsyncSession, which: ColumnElement[bool]) -> tuple[Contender, ...]:
    query = select(RunRow.id, RunRow.issue_key, RunRow.actor, RunRow.actor_name, RunRow.status_at).where(which)
    return tuple(_contender(row, since=row.status_at) for row in await session.execute(query))


def _contender(row: RunRow | Row[str, str, str | None, str, datetime], *, since: datetime) -> Contender:
    return Contender(
        run=RunId(row.id),
        project=row.issue_key.rpartition("-")[0],
        person=row.actor or f"operator {row.actor_name}",
        name=row.actor_name,
        since=since,
    )
