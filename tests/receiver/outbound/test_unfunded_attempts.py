"""An attempt whose phases usually cost more than is left gets no pipeline, and the run says by how much."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pipelines.language import Phase, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import Budget
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.store.money import funds
from receiver.store.run import runs
from receiver.store.schema import UsageRow
from receiver.worker.event_handler import Setting, handle
from receiver.workflow.effects import StartPipeline
from receiver.workflow.end_codes import EndCode
from receiver.workflow.events.pipeline_events import PipelineStarted
from receiver.workflow.events.run_events import AttemptUnfunded
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


async def spent(desk: Desk, run: RunId, **costs: str) -> None:
    """Store what a pass of each phase cost yesterday, in the run."""
    async with desk.database.begin() as session:
        for phase, cost in costs.items():
            session.add(
                UsageRow(
                    call_id=f"{run}-{phase}",
                    run_id=run,
                    iteration=0,
                    phase=phase,
                    purpose="work",
                    model="m",
                    state="settled",
                    reserved_usd=Decimal(1),
                    cost_usd=Decimal(cost),
                    reserved_at=datetime.now(UTC) - timedelta(days=1, hours=1),
                )
            )


async def allow(desk: Desk, at: RunId, catalogue: Catalogue, **budget: str) -> None:
    amounts = Budget(**{name: Decimal(amount) for name, amount in budget.items()})
    policy = msgspec.structs.replace(catalogue.policy, budget_usd=amounts)
    async with desk.database.begin() as session:
        row = await runs.hold(session, at)
        row.catalogue = msgspec.to_builtins(msgspec.structs.replace(catalogue, policy=policy))


async def test_no_pipeline_is_created_for_what_the_run_can_t_fund(
    desk: Desk, run: RunId, catalogue: Catalogue, world: Any
) -> None:
    await spent(desk, run, analysis="0.50", reproduction="0.50", implementation="1.00")
    await allow(desk, run, catalogue, run="3.00", day="60")
    (event,) = (await perform(desk, run, StartPipeline(iteration=1))).events
    assert isinstance(event, AttemptUnfunded)
    assert "run's budget of $3.00 can't fund attempt 1: $2.0000 is spent" in event.reason
    assert "$1.00 is missing. Say `/bug-fix budget +1.00`" in event.reason
    assert world.pipelines() == []


async def test_the_day_s_budget_counts_as_well(desk: Desk, run: RunId, catalogue: Catalogue) -> None:
    await spent(desk, run, analysis="0.50")
    await allow(desk, run, catalogue, run="6.00", day="0.40")
    (event,) = (await perform(desk, run, StartPipeline(iteration=1))).events
    assert isinstance(event, AttemptUnfunded)
    assert "day's budget of $0.40" in event.reason


async def test_a_raise_lets_the_attempt_begin(desk: Desk, run: RunId, catalogue: Catalogue) -> None:
    await spent(desk, run, analysis="0.50", reproduction="0.50", implementation="1.00")
    await allow(desk, run, catalogue, run="3.00", day="60")
    async with desk.database.begin() as session:
        (await runs.hold(session, run)).extra_usd = Decimal(1)
    (event,) = (await perform(desk, run, StartPipeline(iteration=1))).events
    assert isinstance(event, PipelineStarted)


async def test_the_run_ends_for_want_of_budget_and_no_attempt_is_counted(
    desk: Desk, run: RunId, catalogue: Catalogue
) -> None:
    setting = Setting(
        catalogue=catalogue, clock=lambda: datetime.now(UTC), new_run=lambda: RunId("00000000000000cc"), bot=None
    )
    event = AttemptUnfunded(iteration=1, reason="The run's budget can't fund attempt 1.")
    async with desk.database.begin() as session:
        await handle(session, event, setting=setting, run=run)
        row = await runs.find(session, run)
        loaded = await runs.load(session, row)
    assert (row.status, row.reason_code, row.reason) == (RunStatus.ESCALATED, EndCode.BUDGET, event.reason)
    assert loaded.fixes_tried == 0


async def test_another_run_s_attempt_is_no_reason(desk: Desk, run: RunId, catalogue: Catalogue) -> None:
    setting = Setting(
        catalogue=catalogue, clock=lambda: datetime.now(UTC), new_run=lambda: RunId("00000000000000cc"), bot=None
    )
    async with desk.database.begin() as session:
        handled = await handle(session, AttemptUnfunded(iteration=7, reason="x"), setting=setting, run=run)
        loaded = await runs.load(session, await runs.find(session, run))
    assert (handled.decision.status, loaded.status, loaded.fixes_tried) == (None, RunStatus.STARTING, 1)


def test_what_an_attempt_reuses_is_not_paid_again() -> None:

    passes = funds.passes(
        repositories=2,
        is_planned=True,
        is_reviewed=True,
        reused=Counter({Phase.ANALYSIS: 1, Phase.REPRODUCTION: 2, Phase.IMPLEMENTATION: 1}),
    )
    assert passes == {Phase.ANALYSIS: 0, Phase.REPRODUCTION: 0, Phase.IMPLEMENTATION: 1, Phase.REVIEW: 2}
