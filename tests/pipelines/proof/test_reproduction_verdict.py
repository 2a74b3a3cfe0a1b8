"""When a failing test shows the bug, and when a passing one proves the fix."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pipelines.proof.observations import (
    Broken,
    Crash,
    Navigation,
    Note,
    ObservedExchange,
    ObservedStep,
    RequestFailed,
    TestRun,
    read_notes,
)
from pipelines.proof.reproduction_verdict import called_tests, headline, hung_at_its_end, judge_failing, judge_passing
from pipelines.proof.test_cases import Case, CaseOutcome

ASSERTION = ("AssertionError", "Exception")
BASE_URL = "http://127.0.0.1:4100"
API_URL = "http://127.0.0.1:4200"
LOADED = Navigation(url=f"{BASE_URL}/contacts", status=200)


def step(**facts: Any) -> ObservedStep:
    values = {
        "test": "test_it",
        "when": "call",
        "outcome": "failed",
        "error": ASSERTION,
        "message": "Locator expected to be visible",
        "in_test": True,
    }
    return ObservedStep(**{**values, **facts})


def setup(**facts: Any) -> ObservedStep:
    return step(when="setup", outcome="passed", error=None, message="", in_test=False, **facts)


def passed(**facts: Any) -> ObservedStep:
    return step(outcome="passed", error=None, message="", in_test=False, **facts)


def case(outcome: CaseOutcome, message: str = "") -> Case:
    return Case(id="test_it", outcome=outcome, message=message)


def red(*notes: Note, **facts: Any) -> TestRun:
    values: dict[str, Any] = {
        "exit_code": 1,
        "timed_out": False,
        "cases": (case(CaseOutcome.FAILED),),
        "notes": notes or (setup(), LOADED, step()),
        "base_url": BASE_URL,
        "beside": (API_URL,),
    }
    return TestRun(**{**values, **facts})


def green(*notes: Note, **facts: Any) -> TestRun:
    cases = (case(CaseOutcome.PASSED),)
    return red(*(notes or (setup(), LOADED, passed())), **({"exit_code": 0, "cases": cases} | facts))


def test_a_failing_assertion_on_a_loaded_page_is_the_right_reason() -> None:
    verdict = judge_failing(red())
    assert verdict.holds
    assert verdict.reason == "Locator expected to be visible"


RIGHT = {
    "a page that answers 500": red(setup(), Navigation(url=f"{BASE_URL}/", status=500), step()),
    "a request of the API client": red(
        setup(), ObservedExchange(method="POST", url=f"{BASE_URL}/api/contacts", status=500), step()
    ),
    "a third party that is not there": red(
        setup(), LOADED, RequestFailed(url="http://127.0.0.1:1/pixel", error="net::ERR_CONNECTION_REFUSED"), step()
    ),
    "a request without an answer": red(
        setup(), LOADED, RequestFailed(url=f"{BASE_URL}/save", error="net::ERR_EMPTY_RESPONSE"), step()
    ),
    "an assertion that its JUnit report calls an error": red(cases=(case(CaseOutcome.ERROR),)),
}


@pytest.mark.parametrize("run", RIGHT.values(), ids=RIGHT)
def test_what_the_application_did_wrong_before_does_not_matter(run: TestRun) -> None:
    assert judge_failing(run).holds


ERROR = (case(CaseOutcome.ERROR, "No module named 'x'"),)
WRONG = {
    "it passes": (green(), "passes on the unpatched code"),
    "it passes, and leaves a part out": (
        green(cases=(case(CaseOutcome.PASSED), case(CaseOutcome.SKIPPED))),
        "passes on the unpatched code",
    ),
    "only its report names a failure": (red(setup(), LOADED, passed()), "do not agree"),
    "it can't be imported": (red(exit_code=2, cases=ERROR, notes=()), "No module named 'x'"),
    "it can't be compiled": (
        red(Broken(text="SyntaxError: Unexpected token"), cases=()),
        "can't be run: SyntaxError: Unexpected token",
    ),
    "there is no test": (red(exit_code=5, cases=(), notes=()), "no test"),
    "pytest broke": (red(exit_code=3, cases=(), notes=()), "an internal error"),
    "pytest does not know an option": (red(exit_code=4, cases=(), notes=()), "called wrongly"),
    "a fixture fails": (red(step(when="setup", error=("FixtureError",)), cases=ERROR), "set-up failed"),
    "an assertion of the set-up fails": (red(LOADED, step(when="setup")), "its setup did"),
    "the tear-down fails": (red(setup(), LOADED, passed(), step(when="teardown")), "its teardown did"),
    "its report calls that an error": (
        red(setup(), LOADED, passed(), step(when="teardown"), cases=ERROR),
        "its teardown did",
    ),
    "a click times out": (
        red(setup(), LOADED, step(error=("TimeoutError", "Error", "Exception"))),
        "ended with TimeoutError",
    ),
    "it failed without an exception": (red(setup(), LOADED, step(error=None)), "ended with an unknown error"),
    "the application is gone": (
        red(setup(), LOADED, step(error=("Error", "Exception"), message="ERR_CONNECTION_REFUSED")),
        "REFUSED",
    ),
    "the application went away": (
        red(setup(), LOADED, RequestFailed(url=f"{BASE_URL}/save", error="net::ERR_CONNECTION_REFUSED"), step()),
        "not there any more",
    ),
    "what is served beside it went away": (
        red(setup(), LOADED, RequestFailed(url=f"{API_URL}/save", error="net::ERR_CONNECTION_REFUSED"), step()),
        "not there any more",
    ),
    "the page crashed": (red(setup(), LOADED, Crash(url=f"{BASE_URL}/"), step()), "crashed"),
    "the browser is gone": (
        red(setup(), LOADED, step(message="Locator.click: Target page, context or browser has been closed")),
        "The browser was gone",
    ),
    "nothing was asked": (red(setup(), step()), "before the application had answered"),
    "only another application was asked": (
        red(setup(), Navigation(url="http://127.0.0.1:41000/", status=200), step()),
        "before the application had answered",
    ),
    "it was asked only afterwards": (red(setup(), step(), LOADED), "before the application had answered"),
    "it failed elsewhere": (red(setup(), LOADED, step(in_test=False)), "own file"),
    "one of two failures is another one": (
        red(setup(), LOADED, step(), step(test="test_other", error=("TypeError",))),
        "ended with TypeError",
    ),
    "a test was skipped": (red(setup(), LOADED, step(), step(test="test_other", outcome="skipped")), "was skipped"),
    "it was killed": (red(exit_code=-9), "ended with -9"),
    "it took too long": (red(timed_out=True), "did not end in time"),
    "there is no report": (red(cases=()), "no report"),
    "there are no notes": (
        TestRun(exit_code=1, timed_out=False, cases=red().cases, notes=(), base_url=""),
        "no report",
    ),
    "the report can't be read": (red(problem="It has a DTD."), "DTD"),
    "exit code and report disagree": (red(exit_code=0), "do not agree"),
    "report and notes disagree": (red(cases=(case(CaseOutcome.PASSED),)), "do not agree"),
}


@pytest.mark.parametrize(("run", "words"), WRONG.values(), ids=WRONG)
def test_a_failure_for_another_reason_does_not_count(run: TestRun, words: str) -> None:
    verdict = judge_failing(run)
    assert not verdict.holds
    assert words in verdict.reason


def test_the_same_tests_passing_is_a_pass() -> None:
    assert judge_passing(green(), names=called_tests(red())).holds


FORGED = {
    "it still fails": (red(), "still fails: Locator expected to be visible"),
    "it left before the report, with code 0": (green(cases=()), "no report"),
    "the report says passed, the exit code does not": (green(exit_code=1), "still fails"),
    "the exit code says passed, the report does not": (red(exit_code=0), "still fails"),
    "the notes say failed": (green(setup(), LOADED, step()), "did not pass"),
    "another test passed": (green(setup(), LOADED, passed(test="test_other")), "instead of"),
    "a test is missing": (green(setup()), "instead of"),
    "a second case was added to the report": (green(cases=(*green().cases, *green().cases)), "or the report lacks it"),
    "it was skipped": (green(cases=(Case(id="test_it", outcome=CaseOutcome.SKIPPED),)), "still fails"),
    "nothing was asked": (green(setup(), passed()), "without an answer of the application"),
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
    with pytest.raises(msgspec.DecodeError, match="too deeply"):
        read_notes(b'{"kind": "console", "x": ' + b"[" * 100_000)


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (
            "Locator expected to be visible\nActual value: None\nCall log:\n",
            "Locator expected to be visible",
        ),
        (
            "Locator expected to have text 'Jan 1'\nActual value: Dec 31\nCall log:\n",
            "Locator expected to have text 'Jan 1'; Actual value: Dec 31",
        ),
        (
            (
                'Error: expect(locator).toContainText(expected) failed\n\nLocator: row\nExpected substring: "Jan 1"\n'
                'Received string: "Dec 31"\nTimeout: 5000ms\n'
            ),
            'expect(locator).toContainText(expected) failed; Expected substring: "Jan 1"; Received string: "Dec 31"',
        ),
        (
            (
                "Error: expect(locator).toContainText(expected) failed\n\nLocator: row\nTimeout: 5000ms\n"
                "- Expected substring  - 1\n+ Received string     + 3\n\n- Jan 1, 2027\n+ CV-1\n+   Dec 31,\n+ 2026\n"
                '\nCall log:\n  - Expect "toContainText" getByRole("row") with timeout 5000ms\n  - waiting for it\n'
            ),
            "expect(locator).toContainText(expected) failed; Expected: Jan 1, 2027; Received: CV-1 Dec 31, 2026",
        ),
        (
            "expect(a).toBe(b) failed\n- Expected  - 1\n+ Received  + 0\n\n- x\n",
            "expect(a).toBe(b) failed; Expected: x",
        ),
        ("assert 500 == 201\n +  where 500 = <APIResponse>.status", "assert 500 == 201"),
        (" \n", "an assertion failed"),
    ],
)
def test_what_an_assertion_said_fits_in_a_line(failure: str, line: str) -> None:
    assert headline(failure) == line


def test_only_a_browser_that_can_t_be_taken_down_hangs_at_its_end() -> None:
    assert hung_at_its_end(red(timed_out=True))
    assert not hung_at_its_end(red())
    assert not hung_at_its_end(red(setup(), LOADED, timed_out=True))
    assert not hung_at_its_end(red(setup(), setup(test="test_other"), LOADED, step(), timed_out=True))
    assert not hung_at_its_end(TestRun(exit_code=1, timed_out=True, cases=(), notes=(), base_url=""))
