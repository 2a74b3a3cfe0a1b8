"""A fix that a review sent back is made again without what still holds, end to end, with real processes."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.timeout(1600),
    pytest.mark.nightly,  # test_reuse.py and test_stored_attempts.py of the receiver, test_review.py of the job
]

CONTACTS = "payk12/contacts"


@pytest.fixture(scope="session")
def sent_back(played: Callable[[str], Any]) -> Any:
    """Return what came of the scenario."""
    return played("review-once")


def test_the_second_attempt_runs_implementation_testing_review_and_merge_request_only(sent_back: Any) -> None:
    first, _, second, child = sent_back.out["pipelines"]
    assert {job["phase"] for job in first["jobs"]} == {"analysis", "prepare", "generate"}
    assert [job["name"] for job in second["jobs"]] == ["generate"]
    phases = ("implementation", "testing", "review", "merge_request")
    assert {job["name"] for job in child["jobs"]} == {f"{phase}: {CONTACTS}" for phase in phases}


def test_its_merge_request_is_proven_by_the_reproduction_of_the_first(sent_back: Any) -> None:
    assert sent_back.out["as_expected"], sent_back.out["surprises"]
    assert sent_back.out["run"]["iterations"] == 2
    told = sent_back.out["reproduction"]
    assert (told["before"], told["after"]) == ("failed", "passed")
