"""Judge a run of the reproduction: did it fail for the right reason, did it pass. Pure.

Exit code, JUnit report and the notes of our conftest must all say the same. The three come from one process that also
runs the test, so a test that lies can still lie: it stands in the merge request for that reason, it runs where it
sees the application only through HTTP, and it was written before the patch that it judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec
from msgspec import Struct

from pipelines.job.junit import Case, CaseOutcome, count


class Step(Struct, frozen=True, kw_only=True, tag_field="kind", tag="step"):
    """Set-up, call or tear-down of a test ended."""

    test: str
    when: str
    outcome: str
    error: tuple[str, ...] | None
    """Names of the exception's classes, most derived first."""
    message: str
    in_test: bool
    """The failure came up through the test's own file."""
    navigations: int
    """Answers to page loads so far."""


class Console(Struct, frozen=True, kw_only=True, tag_field="kind", tag="console"):
    """The page wrote to its console."""

    type: str
    text: str


class PageError(Struct, frozen=True, kw_only=True, tag_field="kind", tag="page_error"):
    """An uncaught error in the page."""

    text: str


class RequestFailed(Struct, frozen=True, kw_only=True, tag_field="kind", tag="request_failed"):
    """A request got no answer."""

    url: str
    error: str = ""
    """Chromium's name of what went wrong, for example `net::ERR_CONNECTION_REFUSED`."""


class Response(Struct, frozen=True, kw_only=True, tag_field="kind", tag="response"):
    """A request was answered with an error."""

    url: str
    status: int


Note = Step | Console | PageError | RequestFailed | Response


class TestRun(Struct, frozen=True, kw_only=True):
    """One run of the reproduction."""

    __test__ = False

    exit_code: int
    timed_out: bool
    cases: tuple[Case, ...]
    notes: tuple[Note, ...]
    problem: str = ""
    """Why report or notes can't be read; empty: they can."""


class Verdict(Struct, frozen=True, kw_only=True):
    """What a run of the reproduction says."""

    holds: bool
    reason: str
    """A sentence for people; when it holds because the test failed, the failing assertion's message."""


_EXIT_CODES = {
    2: "pytest was interrupted: most often the test file can't be imported",
    3: "pytest had an internal error",
    4: "pytest was called wrongly",
    5: "pytest found no test in the file",
}


_NOBODY_THERE = "net::ERR_CONNECTION_REFUSED"


def read_notes(document: bytes) -> tuple[Note, ...]:
    """Return the notes, one JSON document a line. Raises `msgspec.MsgspecError`."""
    return tuple(msgspec.json.decode(line, type=Note) for line in document.splitlines() if line)


def judge_failing(run: TestRun) -> Verdict:
    """Say whether the test failed because an assertion of its own failed on what the page showed."""
    failed = [step for step in _steps(run) if step.outcome == "failed"]
    objection = next(chain(_unusable(run), _wrong_failure(run, failed)), None)
    return Verdict(holds=True, reason=failed[0].message[:2000]) if objection is None else _no(objection)


def judge_passing(run: TestRun, *, names: Sequence[str]) -> Verdict:
    """Say whether exactly the tests that are known from the failing run ran and passed."""
    objection = next(chain(_unusable(run), _wrong_pass(run, sorted(names))), None)
    return Verdict(holds=True, reason=f"{len(names)} of {len(names)} passed.") if objection is None else _no(objection)


def called_tests(run: TestRun) -> tuple[str, ...]:
    """Return the names of the tests whose body ran."""
    return tuple(sorted(step.test for step in _steps(run) if step.when == "call"))


def _steps(run: TestRun) -> list[Step]:
    return [note for note in run.notes if isinstance(note, Step)]


def _unusable(run: TestRun) -> Iterator[str]:
    """Yield why the run says nothing either way."""
    errors = [case for case in run.cases if case.outcome is CaseOutcome.ERROR]
    if run.timed_out:
        yield "The test did not end in time."
    if run.exit_code in _EXIT_CODES:
        yield f"{_EXIT_CODES[run.exit_code]}. {_short(errors[0].message) if errors else ''}".strip()
    if run.exit_code not in {0, 1}:
        yield f"The test's process ended with {run.exit_code} instead of a result."
    if run.problem:
        yield run.problem
    if not run.cases or not _steps(run):
        yield "The run left no report of any test."
    if errors:
        yield f"The set-up failed before the test could: {_short(errors[0].message)}"


def _wrong_failure(run: TestRun, failed: Sequence[Step]) -> Iterator[str]:
    """Yield why the failure is not the bug's."""
    gone = next((n for n in run.notes if isinstance(n, RequestFailed) and n.error == _NOBODY_THERE), None)
    if gone is not None:
        yield f"The application was not there any more when the test asked for {gone.url[:200]}."
    reported = count(run.cases, CaseOutcome.FAILED)
    if not failed and reported == 0:
        yield "The test passes on the unpatched code, so it does not show the bug."
    if run.exit_code != 1 or reported == 0 or not failed:
        yield f"Exit code {run.exit_code}, JUnit report and notes do not agree that an assertion failed."
    for step in failed:
        if step.when != "call":
            yield f"The test did not fail itself, its {step.when} did: {_short(step.message)}"
        if "AssertionError" not in (step.error or ()):
            kind = step.error[0] if step.error else "an unknown error"
            yield f"No assertion failed; the test ended with {kind}: {_short(step.message)}"
        if not step.in_test:
            yield "The failure did not come from the test's own file."
        if step.navigations == 0:
            yield "The assertion failed before the test had loaded a page of the application."


def _wrong_pass(run: TestRun, names: list[str]) -> Iterator[str]:
    """Yield why the run is no pass."""
    steps = _steps(run)
    called = [step for step in steps if step.when == "call"]
    if run.exit_code != 0 or any(case.outcome is not CaseOutcome.PASSED for case in run.cases):
        failed = next((step.message for step in steps if step.outcome == "failed"), f"exit code {run.exit_code}")
        yield f"The reproduction still fails: {_short(failed)}"
    if any(step.outcome != "passed" for step in steps):
        yield "The notes of the run name a step that did not pass, its exit code does not."
    if not names or sorted(step.test for step in called) != names:
        yield f"{len(called)} tests ran instead of the {len(names)} that failed before."
    if len(run.cases) != len(called) or any(step.navigations == 0 for step in called):
        yield "A test passed without loading a page of the application, or the report lacks it."


def _short(message: str) -> str:
    return " ".join(message.split())[:300]


def _no(reason: str) -> Verdict:
    return Verdict(holds=False, reason=reason)
