"""A plan waits on the ticket until somebody who may start bug fixes approves it, end to end, with real processes."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox import scenario_format as scenarios

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.timeout(1600),
    pytest.mark.nightly,  # tests/receiver/worker/test_people.py
]


@pytest.fixture(scope="session")
def approved(played: Callable[[str], Any]) -> Any:
    """Return what came of the scenario."""
    return played("plan-approval")


def test_the_plan_that_was_approved_is_fixed_reviewed_next_and_paid_for_once(approved: Any) -> None:
    assert approved.out["as_expected"], approved.out["surprises"]
    assert (approved.out["outcome"], approved.out["run"]["iterations"]) == ("in_review", 2)
    script = scenarios.load(scenarios.find("plan-approval")).conversation(
        phase="analysis", issue="PL-479", repository=None, iteration=1
    )
    assert script is not None
    assert approved.out["usage"]["analysis"]["calls"] == len(script.turns)
    assert approved.out["books_equal"] is True


def test_the_pipeline_that_ended_in_waiting_is_green_and_has_one_honest_job(approved: Any) -> None:
    pipelines = approved.out["pipelines"]
    assert [one["kind"] for one in pipelines] == ["parent", "child", "parent", "child"]
    assert {one["status"] for one in pipelines} == {"success"}
    assert [job["name"] for job in pipelines[1]["jobs"]] == ["outcome: awaiting_approval"]
    assert [job["name"] for job in pipelines[2]["jobs"]] == ["generate"], "plan and baseline are reused"
    phases = {"reproduction", "implementation", "testing", "merge_request"}
    assert {job["phase"] for job in pipelines[3]["jobs"]} == phases


def test_who_may_not_approve_did_not_make_it_go_on(approved: Any) -> None:
    text = "\n".join(approved.lines)
    assert text.index("dana comments on the ticket: /bug-fix approve") < text.index("Mara Lindqvist approved the plan")
    assert "Dana Whitfield approved" not in text
