"""Load the rows of a run's story."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from receiver.store.admissions import contenders
from receiver.store.schema import (
    AppliedRemedyRow,
    ArtifactRow,
    Base,
    CommandRow,
    DecisionRow,
    EffectRow,
    InterventionRow,
    IterationRow,
    JobRow,
    MergeRequestRow,
    OutcomeRow,
    PipelineRow,
    PlanRow,
    ReportRow,
    ReusedReportRow,
    RunRow,
    TargetPipelineRow,
    TicketPictureRow,
    UsageRow,
)
from receiver.store.story import Rows, Story, tell
from receiver.workflow.effect_table import EFFECTS, EffectTable
from receiver.workflow.run import RunStatus

Row = TypeVar("Row", bound=Base)


async def story(session: AsyncSession, run: RunRow, *, table: EffectTable = EFFECTS) -> Story:
    """Return the story of a run. `table` names the effects."""
    reports = await _of(session, ReportRow, run, ReportRow.id)
    requests = await _of(session, MergeRequestRow, run, MergeRequestRow.id)
    theirs = select(TargetPipelineRow).where(TargetPipelineRow.merge_request_id.in_([one.id for one in requests]))
    files = select(ArtifactRow).where(ArtifactRow.report_id.in_([report.id for report in reports]))
    return tell(
        Rows(
            run=run,
            position=(await contenders.positions(session)).get(run.id) if run.status == RunStatus.QUEUED else None,
            iterations=await _of(session, IterationRow, run, IterationRow.number),
            decisions=await _of(session, DecisionRow, run, DecisionRow.id),
            effects=await _of(session, EffectRow, run, EffectRow.id),
            pipelines=await _of(session, PipelineRow, run, PipelineRow.id),
            jobs=await _of(session, JobRow, run, JobRow.id),
            plans=await _of(session, PlanRow, run, PlanRow.id),
            reports=reports,
            reused=await _of(session, ReusedReportRow, run, ReusedReportRow.report_id),
            artifacts=list(await session.scalars(files.order_by(ArtifactRow.id))),
            merge_requests=requests,
            outcomes=await _of(session, OutcomeRow, run, OutcomeRow.repository),
            target_pipelines=list(await session.scalars(theirs.order_by(TargetPipelineRow.id))),
            pictures=await _of(session, TicketPictureRow, run, TicketPictureRow.position),
            interventions=await _of(session, InterventionRow, run, InterventionRow.id),
            commands=await _of(session, CommandRow, run, CommandRow.id),
            remedies=await _remedies(session, run),
            usage=await _of(session, UsageRow, run, UsageRow.reserved_at),
        ),
        table=table,
    )


async def _remedies(session: AsyncSession, run: RunRow) -> list[AppliedRemedyRow]:
    order = (AppliedRemedyRow.iteration, AppliedRemedyRow.repository)
    return list(
        await session.scalars(select(AppliedRemedyRow).where(AppliedRemedyRow.run_id == run.id).order_by(*order))
    )


async def _of(session: AsyncSession, kind: type[Row], run: RunRow, order: InstrumentedAttribute[Any]) -> list[Row]:
    owner: InstrumentedAttribute[Any] = kind.run_id  # type: ignore[attr-defined]  # each of these tables has it
    return list(await session.scalars(select(kind).where(owner == run.id).order_by(order)))
