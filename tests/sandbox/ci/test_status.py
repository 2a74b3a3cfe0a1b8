"""The status of several jobs, as GitLab's Composite computes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.ci.configuration.definition import Strategy
from sandbox.ci.engine.status import composite, of_trigger
from sandbox.ci.records import COMPLETED, Status

TABLE = [
    (["success", "success"], "success"),
    (["success", "skipped"], "success"),
    (["skipped", "skipped"], "skipped"),
    (["success", "failed"], "failed"),
    (["success", "failed!"], "success"),
    (["failed!"], "success"),
    (["manual!"], "skipped"),
    (["success", "manual!"], "success"),
    (["success", "manual"], "manual"),
    (["created", "created"], "created"),
    (["created", "success"], "running"),
    (["pending", "created"], "pending"),
    (["pending", "success"], "running"),
    (["running", "failed"], "running"),
    (["canceled", "success"], "canceled"),
    (["canceled", "failed"], "failed"),
    (["canceling", "success"], "canceling"),
    (["canceling", "running"], "running"),
    (["waiting_for_resource", "success"], "waiting_for_resource"),
    (["scheduled", "success"], "scheduled"),
    (["manual", "failed"], "manual"),
    (["failed", "skipped"], "failed"),
]


def read(words: list[str]) -> list[tuple[Status, bool]]:
    return [(Status(word.rstrip("!")), word.endswith("!")) for word in words]


@pytest.mark.parametrize(("jobs", "expected"), TABLE)
def test_jobs_make_a_status(jobs: list[str], expected: str) -> None:
    assert composite(read(jobs)) is Status(expected)


def test_a_needed_job_that_did_not_run_skips_whoever_needs_it() -> None:
    assert composite(read(["success", "skipped"]), dag=True) is Status.SKIPPED
    assert composite(read(["success", "manual!"]), dag=True) is Status.SKIPPED
    assert composite(read(["success", "failed!"]), dag=True) is Status.SUCCESS


def test_no_jobs_have_no_status() -> None:
    assert composite([]) is None


@given(st.lists(st.tuples(st.sampled_from(Status), st.booleans()), min_size=1))
def test_a_status_is_final_only_when_nothing_can_move_any_more(jobs: list[tuple[Status, bool]]) -> None:
    moving = {Status.PENDING, Status.RUNNING, Status.CANCELING, Status.WAITING_FOR_RESOURCE, Status.SCHEDULED}
    if any(status in moving for status, _ in jobs):
        assert composite(jobs) not in COMPLETED


@pytest.mark.parametrize(
    ("strategy", "child", "expected"),
    [
        (None, Status.RUNNING, Status.SUCCESS),
        (None, Status.FAILED, Status.SUCCESS),
        (Strategy.MIRROR, Status.MANUAL, Status.MANUAL),
        (Strategy.MIRROR, Status.SKIPPED, Status.SKIPPED),
        (Strategy.DEPEND, Status.SUCCESS, Status.SUCCESS),
        (Strategy.DEPEND, Status.CANCELED, Status.CANCELED),
        (Strategy.DEPEND, Status.SKIPPED, Status.FAILED),
        (Strategy.DEPEND, Status.MANUAL, Status.RUNNING),
        (Strategy.DEPEND, Status.PENDING, Status.RUNNING),
    ],
)
def test_a_trigger_job_becomes_what_its_strategy_makes_of_its_child(
    strategy: Strategy | None, child: Status, expected: Status
) -> None:
    assert of_trigger(strategy, child) is expected
