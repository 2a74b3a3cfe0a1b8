"""Any history only ever makes moves of the table."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from receiver.workflow.events import DeadlinePassed, Event
from receiver.workflow.lifecycle import ACTIVE, MOVES
from receiver.workflow.run import Run, RunStatus

KINDS = 100


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(picks=st.lists(st.integers(0, KINDS), max_size=25), status=st.sampled_from(sorted(RunStatus)))
def test_any_history_only_ever_makes_moves_of_the_table(world: Any, picks: list[int], status: RunStatus) -> None:
    kinds: list[Event] = world.every_kind()
    run: Run = world.run(status)
    for step, pick in enumerate(picks):
        event = kinds[pick % len(kinds)]
        if isinstance(event, DeadlinePassed):
            event = DeadlinePassed(status=run.status)
        before, (run, decision) = run, world.apply(run, event, after=timedelta(hours=step))
        assert (decision.end is not None) == (decision.status is not None and decision.status not in ACTIVE)
        if decision.new_run is not None:
            assert before.status not in ACTIVE
            run = replace(world.run(RunStatus.ADMITTING), branch=decision.branch or "")
            continue
        assert run.status == before.status or run.status in MOVES[before.status]
        assert (run.deadline is not None) == (run.status in ACTIVE)
        if run.status not in ACTIVE:
            assert "StartPipeline" not in {type(e).__name__ for e in decision.effects}
