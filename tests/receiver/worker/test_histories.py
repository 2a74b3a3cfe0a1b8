"""Any history of a ticket, on the real store: all events in any order, late, twice, and about things it never had."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from pipelines.language import RunId
from receiver.workflow import lifecycle
from receiver.workflow.events.event import Event
from receiver.workflow.events.ticket_events import IssueRestricted
from receiver.workflow.lifecycle import ACTIVE, MOVES, WITH_DEADLINE
from receiver.workflow.run import RunStatus
from tests import event_strategies as draw
from tests.receiver.workflow.conftest import World
from tests.store_histories import KNOWLEDGE, STAGES, Histories, Snapshot
from tests.told_run import OF_VENDORS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]  # 2,000 histories take their time

PLAYED = partial(
    settings,
    deadline=None,
    max_examples=max(200, settings().max_examples),
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=list(HealthCheck),
)
"""As many histories as the profile says, and never fewer than 200."""

ONLY_NEWS = {"StartPipeline", "AdmitTicket", "OpenMergeRequest", "AttachEvidence", "TransitionIssue", "AskReporter"}
"""Effects that nothing brings forth twice."""


@pytest.fixture
def histories(postgres: str) -> Iterator[Histories]:
    with Histories(postgres) as opened:
        yield opened


class TicketMachine(RuleBasedStateMachine):
    """One ticket: its run, and those that people start after it."""

    def __init__(self, histories: Histories) -> None:
        super().__init__()
        self.histories = histories
        self.worlds: list[World] = []
        self.taken: list[tuple[Event, RunId]] = []
        """Events that changed what is known."""
        self.last: tuple[Event, RunId] | None = None

    @initialize(stage=st.sampled_from(STAGES))
    def begin(self, stage: str) -> None:
        self.worlds = [self.histories.begin(stage)]
        self.state = self.histories.snapshot()

    def teardown(self) -> None:
        if self.worlds:
            self.histories.take_back()

    @property
    def world(self) -> World:
        """The newest run's."""
        return self.worlds[-1]

    @rule(data=st.data())
    def gitlab_says_how_a_pipeline_is(self, data: Any) -> None:
        self.tell(data.draw(draw.pipelines(self.world)))

    @rule(data=st.data())
    def a_pipeline_was_started(self, data: Any) -> None:
        self.tell(data.draw(draw.starts(self.world)))

    @rule(data=st.data())
    def gitlab_says_how_a_job_is(self, data: Any) -> None:
        self.tell(data.draw(draw.jobs(self.world)))

    @rule(data=st.data())
    def a_report_is_settled(self, data: Any) -> None:
        self.tell(data.draw(draw.reports(self.world)))

    @rule(data=st.data())
    def something_happens_to_a_merge_request(self, data: Any) -> None:
        world = data.draw(st.sampled_from(self.worlds))
        self.tell(data.draw(draw.merge_requests(world)), world.run_id)

    @rule(data=st.data())
    def people_act(self, data: Any) -> None:
        self.tell(data.draw(draw.people(self.world)))

    @rule(data=st.data())
    def people_steer(self, data: Any) -> None:
        world = data.draw(st.sampled_from(self.worlds))
        self.tell(data.draw(draw.steering(world)), world.run_id)

    @rule(data=st.data())
    def we_notice_something(self, data: Any) -> None:
        self.tell(data.draw(draw.ours(self.world)))

    @rule(hours=st.sampled_from([0.1, 0.3, 13, 400]))
    def time_passes(self, hours: float) -> None:
        self.histories.pass_(hours)

    @rule()
    def the_last_event_comes_twice(self) -> None:
        if self.last is None:
            return
        before = self.state
        self.tell(*self.last)
        assert known(self.state) == known(before)
        assert {run: row["status"] for run, row in self.state["runs"].items()} == {
            run: row["status"] for run, row in before["runs"].items()
        }
        assert not ONLY_NEWS & {kind for _, _, kind in self.state["effects"]}

    @rule(data=st.data())
    def an_event_of_long_ago_comes_again(self, data: Any) -> None:
        if not self.taken:
            return
        before = self.state
        self.tell(*data.draw(st.sampled_from(self.taken)))
        assert known(self.state) == known(before)

    def tell(self, event: Event, run: RunId | None = None) -> None:
        """Let an event be handled, and look at all that it may never do."""
        run = run or self.world.run_id
        if not isinstance(event, OF_VENDORS) and run not in self.state["runs"]:
            return
        decision = self.histories.tell(event, run)
        before, self.state = self.state, self.histories.snapshot()
        self.last = (event, run)
        if decision.new_run is not None:
            number = int(decision.new_run, 16)
            new = draw.world_of(number, issue=self.world.issue, now=self.world.now)
            new.catalogue = self.world.catalogue
            self.worlds.append(new)
        elif known(self.state) != known(before) and not isinstance(
            event, IssueRestricted
        ):  # that is of a ticket's runs
            self.taken.append(self.last)
        assert decision.reason
        check_runs(before, self.state, issue=self.world.issue)
        check_pipelines(self.state)
        check_growth(before, self.state)


def known(state: Snapshot) -> dict[str, Any]:
    """Return what is known, and which runs are confidential."""
    confidential = {run: row["confidential"] for run, row in state["runs"].items()}
    return {"confidential": confidential, **{name: state[name] for name in KNOWLEDGE}}


def check_runs(before: Snapshot, after: Snapshot, *, issue: str) -> None:
    """Check that runs move as the lifecycle allows, alone on their ticket, and that other tickets' runs stand still."""
    active: dict[str, int] = {}
    for run, row in after["runs"].items():
        status = RunStatus(row["status"])
        was = before["runs"].get(run)
        assert (row["issue"] == issue) or row == was
        assert row["deadline"] == (status in WITH_DEADLINE)
        assert row["told"] or status is RunStatus.ADMITTING, f"nobody is told why the run is {status}"
        if was is not None:
            assert status == was["status"] or status in MOVES[RunStatus(was["status"])]
            assert row["iteration"] >= was["iteration"]
            assert row["confidential"] or not was["confidential"]
        active[row["issue"]] = active.get(row["issue"], 0) + (status in ACTIVE)
        new = {kind for _, owner, kind in after["effects"] if owner == run}
        assert status is RunStatus.STARTING or "StartPipeline" not in new
        assert status is RunStatus.OPENING or "OpenMergeRequest" not in new
        assert not (row["confidential"] and "AttachEvidence" in new)
    assert max(active.values()) <= 1


def check_pipelines(after: Snapshot) -> None:
    """Check that of a run's pipelines one at most is at work that nobody cancels."""
    at_work = Counter(run for run, _, status in after["uncancelled"] if not lifecycle.is_over(status))
    assert max(at_work.values(), default=0) <= 1, after["uncancelled"]


def check_growth(before: Snapshot, after: Snapshot) -> None:
    """Check that nothing is forgotten, no status goes back, and each iteration has one parent pipeline."""
    for name in ("pipelines", "jobs"):
        for key, was in before[name].items():
            now = after[name][key]
            assert lifecycle.later(was["status"], now["status"]) == now["status"]
            assert {**was, "status": 0, "said": 0} == {**now, "status": 0, "said": 0}
            assert was["status"] != now["status"] or was.get("said", [0, 0])[:2] == now.get("said", [0, 0])[:2]
    for key, was in before["merge_requests"].items():
        now = after["merge_requests"][key]
        assert (now["iid"], now["state"]) == (was["iid"], "merged") or was["state"] != "merged" or not was["confirmed"]
        assert now["confirmed"] or not was["confirmed"]
    for job, state in before["reports"].items():
        assert after["reports"][job] in {"accepted": {"accepted", "discarded"}}.get(state, {state})
    parents = [(p["run"], p["iteration"]) for p in after["pipelines"].values() if p["parent"] is None]
    assert len(parents) == len(set(parents))


def test_no_history_of_a_ticket_breaks_a_rule(histories: Histories) -> None:
    run_state_machine_as_test(lambda: TicketMachine(histories), settings=PLAYED(stateful_step_count=10))


def test_any_order_and_repetition_of_the_same_events_ends_in_the_same_knowledge(histories: Histories) -> None:
    def end_of(stage: str, events: list[Event]) -> dict[str, Any]:
        histories.begin(stage)
        for event in events:
            histories.tell(event, histories.worlds[stage].run_id)
        end = known(histories.snapshot())
        histories.take_back()
        return end

    @PLAYED(max_examples=max(60, settings().max_examples // 2))
    @given(st.sampled_from(["running", "in_review"]), st.data())
    def play(stage: str, data: Any) -> None:
        one = draw.told_in_any_order(histories.worlds[stage], is_opened=stage == "in_review")
        events = data.draw(st.lists(one, min_size=2, max_size=6))
        other = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=2))]))
        assert end_of(stage, events) == end_of(stage, other)

    play()
