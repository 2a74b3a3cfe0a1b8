"""Judge a run of the reproduction: did it fail for the right reason, did it pass. Pure; one table for all frameworks.

Exit code, JUnit report and our notes must all say the same. The three come from one user that also runs the test, so a
test that lies can still lie: it stands in the merge request for that reason, it runs where it sees the application
only through HTTP, and it was written before the patch that it judges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from urllib.parse import urlsplit

from msgspec import Struct

from pipelines.proof.observations import (
    Broken,
    Crash,
    Navigation,
    ObservedExchange,
    ObservedStep,
    RequestFailed,
    TestRun,
)
from pipelines.proof.test_cases import CaseOutcome, count


class ReproductionVerdict(Struct, frozen=True, kw_only=True):
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
_BROWSER_GONE = ("Target crashed", "Page crashed", "Target page, context or browser has been closed")


def judge_failing(run: TestRun) -> ReproductionVerdict:
    """Say whether the test failed because an assertion of its own failed on what the page showed."""
    failed = [step for step in _steps(run) if step.outcome == "failed"]
    objection = next(chain(_unusable(run), _wrong_failure(run, failed)), None)
    return ReproductionVerdict(holds=True, reason=failed[0].message[:2000]) if objection is None else _no(objection)


def judge_passing(run: TestRun, *, names: Sequence[str]) -> ReproductionVerdict:
    """Say whether exactly the tests that are known from the failing run ran and passed."""
    objection = next(chain(_unusable(run), _wrong_pass(run, sorted(names))), None)
    return (
        ReproductionVerdict(holds=True, reason=f"{len(names)} of {len(names)} passed.")
        if objection is None
        else _no(objection)
    )


def headline(failure: str) -> str:
    """Return what an assertion said in one line: its first, and what it had expected and got."""
    said, _, _ = failure.partition("Call log:")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if not lines:
        return "an assertion failed"
    told = [line for line in lines[1:] if re.match(r"(Expected|Received|Actual)\b[^:]*:(?! None$)", line)]
    return "; ".join([lines[0].removeprefix("Error: "), *(told or _compared(lines))[:2]])[:300]


def _compared(lines: list[str]) -> list[str]:
    """Return both sides of a comparison that Playwright writes as a diff."""
    sides = (("Expected", "-"), ("Received", "+"))
    heads = tuple(f"{sign} {name}" for name, sign in sides)
    if not any(line.startswith(heads[0]) for line in lines):
        return []
    texts = [
        (name, " ".join(line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(heads)))
        for name, sign in sides
    ]
    return [f"{name}: {' '.join(text.split())}" for name, text in texts if text.strip()]


def called_tests(run: TestRun) -> tuple[str, ...]:
    """Return the names of the tests whose body ran."""
    return tuple(sorted(step.test for step in _steps(run) if step.when == "call"))


def hung_at_its_end(run: TestRun) -> bool:
    """Return whether every test that began also ended, and only taking the browser down did not."""
    begun = {step.test for step in _steps(run) if step.when == "setup"}
    return run.timed_out and bool(begun) and begun <= set(called_tests(run))


def _steps(run: TestRun) -> list[ObservedStep]:
    return [note for note in run.notes if isinstance(note, ObservedStep)]


def _answered(run: TestRun, step: ObservedStep) -> bool:
    """Say whether the application answered anything, a page or a request, before a step ended."""
    before = run.notes[: next(place for place, note in enumerate(run.notes) if note is step)]
    ours = _origin(run.base_url)
    return any(isinstance(note, Navigation | ObservedExchange) and _origin(note.url) == ours for note in before)


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", url
    return parts.scheme, parts.netloc


def _unusable(run: TestRun) -> Iterator[str]:
    """Yield why the run says nothing either way."""
    steps = _steps(run)
    errors = [case for case in run.cases if case.outcome is CaseOutcome.ERROR]
    broken = next((note.text for note in run.notes if isinstance(note, Broken)), None)
    if run.timed_out:
        yield "The test did not end in time."
    if run.exit_code in _EXIT_CODES:
        yield f"{_EXIT_CODES[run.exit_code]}. {_short(errors[0].message) if errors else ''}".strip()
    if run.exit_code not in {0, 1}:
        yield f"The test's process ended with {run.exit_code} instead of a result."
    if run.problem:
        yield run.problem
    if broken is not None:
        yield f"The test file can't be run: {_short(broken)}"
    if not run.cases or not steps:
        yield "The run left no report of any test."
    if errors and not any(step.when == "call" for step in steps):
        yield f"The set-up failed before the test could: {_short(errors[0].message)}"
    crash = next((note for note in run.notes if isinstance(note, Crash)), None)
    if crash is not None:
        yield f"The browser's page at {crash.url[:200]} crashed."


def _wrong_failure(run: TestRun, failed: Sequence[ObservedStep]) -> Iterator[str]:
    """Yield why the failure is not the bug's."""
    served = {_origin(url) for url in (run.base_url, *run.beside)}
    for note in run.notes:
        if isinstance(note, RequestFailed) and note.error == _NOBODY_THERE and _origin(note.url) in served:
            yield f"The application was not there any more when the test asked for {note.url[:200]}."
    reported = len(run.cases) - count(run.cases, CaseOutcome.PASSED) - count(run.cases, CaseOutcome.SKIPPED)
    if not failed and reported == 0:
        yield "The test passes on the unpatched code, so it does not show the bug."
    for step in failed:
        yield from _wrong_step(run, step)
    if run.exit_code != 1 or reported == 0 or not failed:
        yield f"Exit code {run.exit_code}, JUnit report and notes do not agree that an assertion failed."
    if any(step.outcome == "skipped" for step in _steps(run)):
        yield "A test of the file was skipped; a reproduction runs as a whole."


def _wrong_step(run: TestRun, step: ObservedStep) -> Iterator[str]:
    if step.when != "call":
        yield f"The test did not fail itself, its {step.when} did: {_short(step.message)}"
    if any(words in step.message for words in _BROWSER_GONE):
        yield f"The browser was gone before the test had ended: {_short(step.message)}"
    if "AssertionError" not in (step.error or ()):
        kind = step.error[0] if step.error else "an unknown error"
        yield f"No assertion failed; the test ended with {kind}: {_short(step.message)}"
    if not step.in_test:
        yield "The failure did not come from the test's own file."
    if not _answered(run, step):
        yield "The assertion failed before the application had answered the test: no page was loaded, no request sent."


def _wrong_pass(run: TestRun, names: list[str]) -> Iterator[str]:
    """Yield why the run is no pass."""
    steps = _steps(run)
    called = [step for step in steps if step.when == "call"]
    if run.exit_code != 0 or any(case.outcome is not CaseOutcome.PASSED for case in run.cases):
        failed = next((step.message for step in steps if step.outcome == "failed"), f"exit code {run.exit_code}")
        yield f"The reproduction still fails: {_short(failed)}"
    if any(step.outcome != "passed" for step in steps):
        yield "The notes of the run name a step that did not pass, its exit code does not."
    if sorted(step.test for step in called) != names:
        yield f"{len(called)} tests ran instead of the {len(names)} that failed before."
    if len(run.cases) != len(called) or not all(_answered(run, step) for step in called):
        yield "A test passed without an answer of the application, or the report lacks it."


def _short(message: str) -> str:
    return " ".join(message.split())[:300]


def _no(reason: str) -> ReproductionVerdict:
    return ReproductionVerdict(holds=False, reason=reason)
