"""When a failing test shows the bug, and when a passing one proves the fix."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pipelines.job.junit import Case, CaseOutcome
from pipelines.job.verdict import (
    Note,
    RequestFailed,
    Step,
    TestRun,
    called_tests,
    judge_failing,
    judge_passing,
    read_notes,
)

ASSERTION = ("AssertionError", "Exception")


def step(**facts: Any) -> Step:
    values = {
        "test": "test_it",
        "when": "call",
        "outcome": "failed",
        "error": ASSERTION,
        "message": "Locator expected to be visible",
        "in_test": True,
        "navigations": 2,
    }
    return Step(**{**values, **facts})


def setup(**facts: Any) -> Step:
    return step(when="setup", outcome="passed", error=None, message="", in_test=False, navigations=0, **facts)


def passed(**facts: Any) -> Step:
    return step(outcome="passed", error=None, message="", in_test=False, **facts)


def red(*notes: Note, **facts: Any) -> TestRun:
    values: dict[str, Any] = {
        "exit_code": 1,
        "timed_out": False,
        "cases": (Case(id="test_it", outcome=CaseOutcome.FAILED),),
        "notes": notes or (setup(), step()),
    }
    return TestRun(**{**values, **facts})


def green(*notes: Note, **facts: Any) -> TestRun:
    cases = (Case(id="test_it", outcome=CaseOutcome.PASSED),)
    return red(*(notes or (setup(), passed())), **({"exit_code": 0, "cases": cases} | facts))


def test_a_failing_assertion_on_a_loaded_page_is_the_right_reason() -> None:
    verdict = judge_failing(red())
    assert verdict.holds
    assert verdict.reason == "Locator expected to be visible"


ERROR = (Case(id="test_it", outcome=CaseOutcome.ERROR, message="No module named 'x'"),)
WRONG = {
    "it passes": (green(), "passes on the unpatched code"),
    "it can't be imported": (red(exit_code=2, cases=ERROR, notes=()), "No module named 'x'"),
    "there is no test": (red(exit_code=5, cases=(), notes=()), "no test"),
    "a fixture fails": (red(step(when="setup", error=("FixtureError",)), cases=ERROR), "set-up failed"),
    "the tear-down fails": (red(step(when="teardown")), "its teardown did"),
    "a click times out": (red(step(error=("TimeoutError", "Error", "Exception"))), "ended with TimeoutError"),
    "the application is gone": (red(step(error=("Error", "Exception"), message="ERR_CONNECTION_REFUSED")), "REFUSED"),
    "the application went away": (
        red(setup(), RequestFailed(url="http://127.0.0.1:1/contacts", error="net::ERR_CONNECTION_REFUSED"), step()),
        "not there any more",
    ),
    "no page was loaded": (red(step(navigations=0)), "before the test had loaded a page"),
    "it failed elsewhere": (red(step(in_test=False)), "own file"),
    "it was killed": (red(exit_code=-9), "ended with -9"),
    "it took too long": (red(timed_out=True), "did not end in time"),
    "there is no report": (red(cases=()), "no report"),
    "there are no notes": (TestRun(exit_code=1, timed_out=False, cases=red().cases, notes=()), "no report"),
    "the report can't be read": (red(problem="It has a DTD."), "DTD"),
    "exit code and report disagree": (red(exit_code=0), "do not agree"),
}


@pytest.mark.parametrize(("run", "words"), WRONG.values(), ids=WRONG)
def test_a_failure_for_another_reason_does_not_count(run: TestRun, words: str) -> None:
    verdict = judge_failing(run)
    assert not verdict.holds
    assert words in verdict.reason


def test_the_same_tests_passing_is_a_pass() -> None:
    assert judge_passing(green(), names=called_tests(red())).holds


FORGED = {
    "it still fails": (red(), "still fails"),
    "it left before the report, with code 0": (green(cases=()), "no report"),
    "the report says passed, the exit code does not": (green(exit_code=1), "still fails"),
    "the exit code says passed, the report does not": (red(exit_code=0), "still fails"),
    "the notes say failed": (green(setup(), step()), "did not pass"),
    "another test passed": (green(setup(), passed(test="test_other")), "instead of"),
    "a test is missing": (green(setup()), "instead of"),
    "a second case was added to the report": (green(cases=(*green().cases, *green().cases)), "or the report lacks it"),
    "it was skipped": (green(cases=(Case(id="test_it", outcome=CaseOutcome.SKIPPED),)), "still fails"),
    "no page was loaded": (green(setup(), passed(navigations=0)), "without loading a page"),
}


@pytest.mark.parametrize(("run", "words"), FORGED.values(), ids=FORGED)
def test_a_pass_that_does_not_add_up_is_none(run: TestRun, words: str) -> None:
    verdict = judge_passing(run, names=("test_it",))
    assert not verdict.holds
    assert words in verdict.reason


def test_nothing_passes_for_a_run_in_which_nothing_failed() -> None:
    assert not judge_passing(green(setup()), names=()).holds


def test_notes_of_another_shape_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        read_notes(b'{"kind": "step", "test": 3}\n')
    with pytest.raises(msgspec.MsgspecError):
        read_notes(b"not json\n")
