"""What needs a push: runs past their deadline, reports nobody settled, pipelines nobody told us about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, not_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from pipelines.language import RunId
from pipelines.language.policy import MergePolicy
from receiver.store.schema import (
    EffectRow,
    MergeRequestEventRow,
    MergeRequestRow,
    PipelineRow,
    ReportRow,
    RunRow,
)
from receiver.workflow import lifecycle
from receiver.workflow.effects import MergeWhenReady
from receiver.workflow.run import RunStatus


async def deadlines(session: AsyncSession, *, now: datetime) -> list[tuple[RunId, RunStatus]]:
    """Return runs that should have left their status by now, or that people should have gone on with."""
    waits_for_people = (RunRow.status == RunStatus.ESCALATED) & ~_is_taken_up()
    rows = await session.execute(
        select(RunRow.id, RunRow.status)
        .where(RunRow.deadline <= now, RunRow.status.in_(lifecycle.ACTIVE) | waits_for_people)
        .order_by(RunRow.deadline)
    )
    return [(RunId(run), RunStatus(status)) for run, status in rows]


def _is_taken_up() -> ColumnElement[bool]:
    """Say that the ticket has a newer run."""
    newer = aliased(RunRow)
    return exists().where(newer.issue_key == RunRow.issue_key, newer.created_at > RunRow.created_at)


async def unsettled(session: AsyncSession, *, before: datetime) -> list[tuple[RunId, int]]:
    """Return runs at work with reports that came before a time and are still pending, with the iteration."""
    rows = await session.execute(
        select(ReportRow.run_id, ReportRow.iteration)
        .join(RunRow, RunRow.id == ReportRow.run_id)
        .where(ReportRow.state == "pending", ReportRow.received_at < before, RunRow.status == RunStatus.RUNNING)
        .distinct()
    )
    return [(RunId(run), int(iteration)) for run, iteration in rows]


async def silent(
    session: AsyncSession, status: RunStatus, *, before: datetime, wholly: bool = True
) -> list[tuple[RunId, int]]:
    """Return runs of a status of whose pipelines nobody told us anything since a time, with the iteration.

    `wholly`: of whose jobs neither; it does not count that GitLab was asked for the pipelines' end.
    """
    heard = (
        select(func.max(PipelineRow.seen_at))
        .where(PipelineRow.run_id == RunRow.id, PipelineRow.iteration == RunRow.iteration)
        .scalar_subquery()
    )
    asks_for_end = func.coalesce(EffectRow.payload["asks_for_end"].astext, "false") == "true"
    asked = (
        select(func.max(EffectRow.created_at))
        .where(EffectRow.run_id == RunRow.id, EffectRow.kind == "PollGitLab")
        .where(not_(asks_for_end) if wholly else true())
        .scalar_subquery()
    )
    rows = await session.execute(
        select(RunRow.id, RunRow.iteration).where(
            RunRow.status == status,
            heard < before,
            func.coalesce(asked, RunRow.created_at) < before,
        )
    )
    return [(RunId(run), int(iteration)) for run, iteration in rows]


async def unmerged(session: AsyncSession, *, before: datetime) -> list[tuple[RunId, int, str]]:
    """Return open merge requests that somebody approved, that we merge, and that were not looked at since a time.

    With the run's iteration and the repository.
    """
    looked_at = (
        select(func.max(EffectRow.created_at))
        .where(
            EffectRow.run_id == RunRow.id,
            EffectRow.kind == MergeWhenReady.__name__,
            EffectRow.payload["repository"].astext == MergeRequestRow.repository,
        )
        .scalar_subquery()
    )
    approved = (
        select(MergeRequestEventRow.id)
        .where(MergeRequestEventRow.merge_request_id == MergeRequestRow.id)
        .where(MergeRequestEventRow.action.in_(["approved", "approval"]))
        .exists()
    )
    rows = await session.execute(
        select(RunRow.id, RunRow.iteration, MergeRequestRow.repository)
        .join(MergeRequestRow, MergeRequestRow.run_id == RunRow.id)
        .where(
            RunRow.status == RunStatus.IN_REVIEW,
            RunRow.catalogue["policy"]["merge"].astext == MergePolicy.WHEN_APPROVED,
            MergeRequestRow.state == "opened",
            approved,
            func.coalesce(looked_at, RunRow.created_at) < before,
        )
    )
    return [(RunId(run), int(iteration), repository) for run, iteration, repository in rows]


async def unread(session: AsyncSession, *, before: datetime, ended: datetime) -> list[RunId]:
    """Return runs whose ticket was not looked at since a time: active ones, and those that people got after `ended`."""
    asked = (
        select(func.max(EffectRow.created_at))
        .where(EffectRow.run_id == RunRow.id, EffectRow.kind == "PollTicket")
        .scalar_subquery()
    )
    waits = (RunRow.status == RunStatus.ESCALATED) & (RunRow.finished_at > ended) & ~_is_taken_up()
    read = RunRow.status.in_(lifecycle.ACTIVE - {RunStatus.ADMITTING}) | waits
    rows = await session.scalars(select(RunRow.id).where(read, func.greatest(RunRow.status_at, asked) < before))
    return [RunId(run) for run in rows]
