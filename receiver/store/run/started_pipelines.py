"""What was started for a run: its automation project, and the parent pipelines of an iteration."""

from __future__ import annotations

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import PipelineKey, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from receiver.store.postgres.database import Database
from receiver.store.schema import PipelineRow, RunRow
from receiver.workflow.lifecycle import AT_REST


class AutomationProject(Struct, frozen=True, kw_only=True):
    """Where a run's pipelines run."""

    project: ProjectPath
    ref: str
    iteration: int
    """At which the run is."""
    over: bool
    """The run has ended, or waits for people: no job of it has anything to do."""


async def automation(database: Database, run: RunId) -> AutomationProject | None:
    """Return where a run's pipelines run, None for an unknown run or one that was not admitted."""
    async with database.begin() as session:
        row = await session.get(RunRow, run)
    if row is None or row.catalogue is None:
        return None
    catalogue = msgspec.convert(row.catalogue, Catalogue)
    return AutomationProject(
        project=catalogue.automation_project,
        ref=catalogue.automation_ref,
        iteration=row.iteration,
        over=row.status in AT_REST,
    )


async def parents(database: Database, run: RunId, key: PipelineKey) -> list[int]:
    """Return the pipelines in GitLab that we started under a kind and number: one, or none yet."""
    query = select(PipelineRow.id).where(
        PipelineRow.run_id == run,
        PipelineRow.kind == key.kind,
        PipelineRow.iteration == key.number,
        PipelineRow.parent_id.is_(None),
    )
    async with database.begin() as session:
        return list(await session.scalars(query.order_by(PipelineRow.id)))


async def of_other_runs(session: AsyncSession, pipelines: list[int], *, run: RunId) -> frozenset[int]:
    """Return those of these pipelines that are known to belong to other runs."""
    query = select(PipelineRow.id).where(PipelineRow.id.in_(pipelines), PipelineRow.run_id != run)
    return frozenset(await session.scalars(query))
