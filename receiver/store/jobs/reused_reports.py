"""Reports that count in an iteration: its own, and those of earlier iterations that it reuses."""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import Phase, PhaseReport, PipelineKind, Sha256
from receiver.store.schema import ReportRow, ReusedReportRow
from receiver.workflow.run import Reused

NEWEST_FIRST: Final = (ReportRow.iteration.desc(), ReportRow.job_id.desc(), ReportRow.id.desc())
"""An iteration's own report goes before one that it would reuse."""


def counts_in(run: str, iteration: int) -> ColumnElement[bool]:
    """Return the condition for reports that an iteration has, its own and reused."""
    reused = select(ReusedReportRow.report_id).where(
        ReusedReportRow.run_id == run, ReusedReportRow.iteration == iteration
    )
    return or_(
        (ReportRow.run_id == run) & (ReportRow.kind == PipelineKind.FIX) & (ReportRow.iteration == iteration),
        ReportRow.id.in_(reused),
    )


class ReusedReport(Struct, frozen=True, kw_only=True):
    """A report of an earlier iteration that counts in another one."""

    report: PhaseReport
    key: Sha256 | None
    """What it depended on."""


async def of_iteration(session: AsyncSession, run: str, iteration: int) -> list[ReusedReport]:
    """Return the reports that an iteration was begun with."""
    query = (
        select(ReportRow.report, ReusedReportRow.key_sha256)
        .join(ReusedReportRow, ReusedReportRow.report_id == ReportRow.id)
        .where(ReusedReportRow.run_id == run, ReusedReportRow.iteration == iteration)
        .order_by(ReportRow.id)
    )
    found = await session.execute(query)
    return [ReusedReport(report=msgspec.convert(report, PhaseReport), key=key) for report, key in found]


async def phases(session: AsyncSession, run: str, iteration: int) -> Counter[Phase]:
    """Return how many reports of each phase an iteration was begun with."""
    query = (
        select(ReportRow.phase, func.count())
        .join(ReusedReportRow, ReusedReportRow.report_id == ReportRow.id)
        .where(ReusedReportRow.run_id == run, ReusedReportRow.iteration == iteration)
        .group_by(ReportRow.phase)
    )
    return Counter({Phase(phase): count for phase, count in await session.execute(query)})


async def keep(session: AsyncSession, run: str, iteration: int, reused: Reused) -> None:
    """Let an accepted report of an earlier iteration count in this one."""
    made = (
        select(ReportRow.id)
        .where(
            ReportRow.run_id == run,
            ReportRow.iteration == reused.iteration,
            ReportRow.phase == reused.phase,
            ReportRow.repository.is_not_distinct_from(reused.repository),
            ReportRow.state == "accepted",
        )
        .order_by(*NEWEST_FIRST)
        .limit(1)
    )
    report = await session.scalar(made)
    if report is None:
        return
    row = insert(ReusedReportRow).values(run_id=run, iteration=iteration, report_id=report, key_sha256=reused.key)
    await session.execute(row.on_conflict_do_nothing())
