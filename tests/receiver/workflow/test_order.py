"""Order does not matter: hooks of a run come late, twice and in any order, and end in the same knowledge."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipelines.language import Phase
from receiver.workflow.events import DeadlinePassed, Event
from receiver.workflow.lifecycle import ACTIVE, MOVES
from receiver.workflow.observe import observed
from receiver.workflow.run import Run, RunStatus


def test_all_120_orders_of_five_pipeline_events_end_in_one_state(world: Any) -> None:
    events = [world.pipeline(status) for status in ("created", "pending", "running", "failed", "success")]
    ends = set()
    for order in permutations(events):
        run = world.run(RunStatus.RUNNING)
        for event in order:
            run, _ = world.apply(run, event)
        ends.add((run.status, run.pipelines, run.deadline))
    assert len(ends) == 1
    assert next(iter(ends))[1][0].status == "success"


@pytest.mark.parametrize("end", ["failed", "success", "canceled", "skipped"])
def test_all_orders_of_parent_and_child_with_one_end_conclude_alike(world: Any, end: str) -> None:
    child = {"pipeline": world.child, "parent": world.parent}
    events = [
        world.pipeline("running"),
        world.pipeline("running", **child),
        world.pipeline("success", **child),
        world.job("testing: payk12/contacts", "failed"),
        world.pipeline(end),
    ]
    ends = set()
    for order in permutations(events):
        run = world.run(RunStatus.RUNNING)
        for event in (*order, world.settled()):
            run, _ = world.apply(run, event)
        ends.add((run.status, run.pipelines, run.jobs))
    assert len(ends) == 1


def test_all_orders_of_the_reports_open_the_merge_request_once(world: Any) -> None:
    events = [
        world.accepted(phase)
        for phase in (Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.MERGE_REQUEST)
    ]
    events.append(world.pipeline("success"))
    for order in permutations(events):
        run, opened = world.run(RunStatus.RUNNING), 0
        for event in (*order, *order, world.settled()):
            run, decision = world.apply(run, event)
            opened += sum(type(e).__name__ == "OpenMergeRequest" for e in decision.effects)
        assert (run.status, opened) == (RunStatus.OPENING, 1)


def test_a_job_that_gitlab_retried_is_known_by_its_newest(world: Any) -> None:
    events = [
        world.job("analysis", "failed", job=7, pipeline=100),
        world.job("analysis", "success", job=8, pipeline=100),
    ]
    for order in permutations([*events, world.job("analysis", "running", job=7, pipeline=100)]):
        run = world.run(RunStatus.RUNNING)
        for event in order:
            run = observed(run, event)
        assert [(j.job, j.status) for j in run.jobs] == [(8, "success")]


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
        if decision.new_run is not None:
            assert before.status not in ACTIVE
            run = replace(world.run(RunStatus.ADMITTING), branch=decision.branch or "")
            continue
        assert run.status == before.status or run.status in MOVES[before.status]
        assert (run.deadline is not None) == (run.status in ACTIVE)
        assert observed(run, event) == run
        if run.status not in ACTIVE:
            assert "StartPipeline" not in {type(e).__name__ for e in decision.effects}
