"""When a repository's own suite counts as worse than before."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.job.suite import new_failures, regression
from pipelines.model import SuiteResult


def suite(**facts: Any) -> SuiteResult:
    values = {"passed": 10, "failed": 0, "errors": 0, "skipped": 0, "duration_s": 1.0, "exit_code": 0}
    return SuiteResult(**{**values, **facts})


OLD = suite(passed=9, failed=1, exit_code=1, failing=("t::old",))


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (suite(), suite(), None),
        (suite(passed=12), suite(), None),
        (suite(), None, None),
        (OLD, OLD, None),
        (suite(), OLD, None),
        (suite(passed=9, failed=1, exit_code=1, failing=("t::new",)), suite(), "t::new"),
        (suite(passed=8, failed=2, exit_code=1, failing=("t::new", "t::old")), OLD, "t::new"),
        (suite(passed=9), suite(), "must not vanish"),
        (suite(passed=0), suite(), "must not vanish"),
        (suite(exit_code=3), suite(), "ended with 3"),
        (suite(passed=8, failed=2, exit_code=1, failing=("t::old",)), OLD, "2 tests fail; 1 failed before"),
    ],
)
def test_new_failures_and_vanished_tests_are_regressions(
    now: SuiteResult, before: SuiteResult | None, words: str | None
) -> None:
    found = regression(now, before)
    assert (found is None) if words is None else (found is not None and words in found)


def test_old_failures_are_not_new() -> None:
    assert new_failures(suite(failing=("t::new", "t::old")), OLD) == ("t::new",)
    assert new_failures(suite(failing=("t::new",)), None) == ("t::new",)
