"""From an approval to the end of the run: by its hook, and by the sweep when nothing else tells."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from pipelines.language import ProjectPath
from receiver import limits
from receiver.outbound.effects.desk import Desk
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.run import overdue, runs
from receiver.store.schema import EffectRow
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting, handle
from receiver.worker.sweep import sweep
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.run import RunStatus
from tests.receiver.merging.conftest import CONTACTS

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


@pytest.fixture
def workshop(database: Database, desk: Desk) -> Workshop:
    def clock() -> datetime:
        return datetime.now(UTC)

    setting = Setting(catalogue=desk.catalogue(), clock=clock, new_run=_none, bot=None)
    days = timedelta(days=30)
    return Workshop(
        database=database, desk=desk, setting=setting, retention=Retention(deliveries=days, transcripts=days)
    )


def _none() -> Any:
    return "f" * 16


def approved(waiting: Any) -> MergeRequestChanged:
    mara = waiting.there.author  # who it is does not matter here: a hook proves nothing
    return MergeRequestChanged(
        project_id=waiting.opened.project_id,
        project=ProjectPath(CONTACTS),
        iid=waiting.opened.iid,
        action="approved",
        state="opened",
        source_branch=waiting.opened.branch,
        head_sha=waiting.opened.head_sha,
        actor_id=int(mara["id"]),
        actor="mara",
        at=None,
    )


async def looks(workshop: Workshop, run: str) -> list[int]:
    """Return the looks that were ever wanted."""
    async with workshop.database.begin() as session:
        wanted = select(EffectRow.id).where(EffectRow.run_id == run, EffectRow.kind == "MergeWhenReady")
        return list(await session.scalars(wanted.order_by(EffectRow.id)))


async def status(workshop: Workshop, run: Any) -> tuple[str, str]:
    async with workshop.database.begin() as session:
        row = await runs.find(session, run)
        return row.status, row.reason


async def test_an_approval_leads_to_the_merge_and_to_the_end_of_the_run(waiting: Any, workshop: Workshop) -> None:
    waiting.green()
    waiting.approve()
    async with workshop.database.begin() as session:
        await handle(session, approved(waiting), setting=workshop.setting, run=waiting.run)
    (look,) = await looks(workshop, waiting.run)
    for _ in range(10):
        await work_on(workshop, look)
    assert await status(workshop, waiting.run) == (
        RunStatus.MERGED,
        f"bug-fix-bot merged {CONTACTS}!{waiting.opened.iid}.",
    )
    async with workshop.database.begin() as session:
        kinds = list(await session.scalars(select(EffectRow.kind).where(EffectRow.run_id == waiting.run)))
    assert "TransitionIssue" in kinds
    assert waiting.merges == 1


async def test_what_waits_after_an_approval_is_looked_at_by_the_sweep_every_few_minutes(
    waiting: Any, workshop: Workshop
) -> None:
    async def due(before: datetime) -> list[str]:
        async with workshop.database.begin() as session:
            return [run for run, _, _ in await overdue.unmerged(session, before=before)]

    now = datetime.now(UTC)
    assert await due(now) == []
    await waiting.note(approved(waiting))
    assert await due(now) == [waiting.run]
    assert await due(now - limits.MERGE_LOOKED_AT) == []
    async with workshop.database.begin() as session:
        (await runs.hold(session, waiting.run)).created_at = now - timedelta(hours=1)
    await sweep(workshop)
    (look,) = await looks(workshop, waiting.run)
    await sweep(workshop)
    assert await looks(workshop, waiting.run) == [look]
