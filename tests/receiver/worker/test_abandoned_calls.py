"""Calls whose gateway died are held at their reservation."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from receiver import limits
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.run import runs
from receiver.store.schema import UsageRow
from receiver.worker.effect_task import Workshop
from receiver.worker.event_handler import Setting
from receiver.worker.sweep import sweep
from receiver.workflow.run import RunStatus

pytestmark = pytest.mark.integration


@pytest.mark.anyio
async def test_the_sweep_marks_calls_unknown_that_no_gateway_can_be_making_any_more(
    database: Database, setting: Setting, clock: Any
) -> None:
    run = setting.new_run()
    async with database.begin() as session:
        await runs.create(
            session, run, issue_key="PL-479", status=RunStatus.RUNNING, actor=None, name="", now=clock.now
        )
        for call in ("old", "young"):
            session.add(
                UsageRow(
                    call_id=call,
                    run_id=run,
                    iteration=1,
                    phase="analysis",
                    job_id=1,
                    purpose="work",
                    model="m",
                    state="reserved",
                    reserved_usd=Decimal(1),
                    reserved_at=clock.now - limits.CALL_ABANDONED + timedelta(seconds=1 if call == "young" else -1),
                )
            )
    retention = Retention(deliveries=timedelta(days=1), transcripts=timedelta(days=1))
    nothing: Any = None
    await sweep(Workshop(database=database, desk=nothing, setting=setting, retention=retention))
    async with database.begin() as session:
        found = {row.call_id: (row.state, row.cost_usd) for row in await session.scalars(select(UsageRow))}
    assert found == {"old": ("unknown", None), "young": ("reserved", None)}


def test_no_call_can_last_as_long_as_its_reservation_is_waited_for() -> None:
    assert timedelta(seconds=limits.CALL_S) < limits.CALL_ABANDONED
