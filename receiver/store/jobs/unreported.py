"""Jobs that opened a session and whose report never arrived. Reads only; what becomes of them is not decided here."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from pipelines.language import RunId
from receiver.store.jobs import sessions
from receiver.store.jobs.sessions import JobSession
from receiver.store.schema import JobRow, PipelineRow, ReportRow, RunRow, SessionRow
from receiver.workflow.lifecycle import OVER
from receiver.workflow.run import RunStatus


class Unreported(Struct, frozen=True, kw_only=True):
    """A job of a run at work whose report is not stored."""

    session: JobSession
    """The job's first: the supervisor opens it before anything else runs."""
    token_sha256: str
    """Of the session's token: what the seal of the report is keyed with."""


_UNSTORED: Final = ~select(ReportRow.id).where(ReportRow.job_id == SessionRow.job_id).exists()
_AT_WORK: Final = and_(RunRow.status == RunStatus.RUNNING, RunRow.iteration == SessionRow.iteration)


def _passed() -> ColumnElement[bool]:
    """Say that a job ended in one of the ways that can make its report count, and was not run again since."""
    again = aliased(JobRow)
    newer = select(again.id).where(
        again.pipeline_id == JobRow.pipeline_id, again.name == JobRow.name, again.id > JobRow.id
    )
    ended_well = or_(JobRow.status == "success", and_(JobRow.status == "failed", JobRow.allow_failure))
    return and_(ended_well, ~newer.exists())


async def of_run(session: AsyncSession, run: RunId, *, iteration: int) -> list[Unreported]:
    """Return jobs that passed as far as we know; of a pipeline that is over also those whose end we don't know."""
    over = select(PipelineRow.id).where(
        PipelineRow.run_id == SessionRow.run_id,
        PipelineRow.iteration == SessionRow.iteration,
        PipelineRow.parent_id.is_(None),
        PipelineRow.status.in_(OVER),
    )
    unknown = or_(JobRow.id.is_(None), JobRow.status.not_in(OVER))
    query = (
        select(SessionRow)
        .join(RunRow, RunRow.id == SessionRow.run_id)
        .outerjoin(JobRow, JobRow.id == SessionRow.job_id)
        .where(SessionRow.run_id == run, SessionRow.iteration == iteration, _AT_WORK, _UNSTORED)
        .where(or_(_passed(), and_(unknown, over.exists())))
        .ext(distinct_on(SessionRow.job_id))
        .order_by(SessionRow.job_id, SessionRow.id)
    )
    return [
        Unreported(session=sessions.job_of(row, current=True), token_sha256=row.token_sha256)
        for row in await session.scalars(query)
    ]


async def runs(session: AsyncSession, *, before: datetime) -> list[tuple[RunId, int]]:
    """Return runs at work with a job that passed, as we knew before a time, without a report; with the iteration."""
    rows = await session.execute(
        select(SessionRow.run_id, SessionRow.iteration)
        .join(RunRow, RunRow.id == SessionRow.run_id)
        .join(JobRow, JobRow.id == SessionRow.job_id)
        .where(_AT_WORK, _UNSTORED, _passed(), JobRow.seen_at < before)
        .distinct()
    )
    return [(RunId(run), int(iteration)) for run, iteration in rows]
