"""What tests do on the unpatched code, from two runs; what is new about a run with the patch. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from pipelines.language import KnownTests, SuiteResult
from pipelines.proof.suite_run import Ran
from pipelines.proof.test_cases import CaseOutcome, listed

RUNS_AGAIN = 2
"""How often tests that failed unexpectedly are run once more, and have to pass each time."""
MAX_FORGIVEN = 3
"""Unexpected failures of which chance can be the reason; more are none."""


def known_tests(first: Ran, second: Ran) -> KnownTests:
    """Tell steady tests from flaky ones: those that did not end alike, or were there only once."""
    passing, failing = first.passing & second.passing, first.failing & second.failing
    skipped = first.having(CaseOutcome.SKIPPED) & second.having(CaseOutcome.SKIPPED)
    flaky = (first.outcomes.keys() | second.outcomes.keys()) - passing - failing - skipped
    return KnownTests(passing=tuple(sorted(passing)), failing=tuple(sorted(failing)), flaky=tuple(sorted(flaky)))


def baseline_result(first: Ran, known: KnownTests) -> SuiteResult:
    """Return the first run's result as the baseline: what is flaky is not among what fails."""
    return replace(first.result, failing=listed(known.failing), flaky=listed(known.flaky))


def from_result(result: SuiteResult) -> KnownTests:
    """Return what the figures alone tell, where the list of all tests is not at hand: no names of passing ones."""
    return KnownTests(passing=(), failing=result.failing, flaky=result.flaky)


def new_failures(now: Ran, known: KnownTests | None) -> frozenset[str]:
    """Return the tests that fail now and are not known to; without a baseline, all of them."""
    return now.failing if known is None else now.failing - frozenset(known.failing) - frozenset(known.flaky)


def missing(now: Ran, known: KnownTests | None) -> frozenset[str]:
    """Return the tests that ran before, each time, and did not run now: gone, or skipped."""
    if known is None:
        return frozenset()
    return frozenset((*known.passing, *known.failing)) - now.passing - now.failing


def forgiven(new: frozenset[str], known: KnownTests | None, *, again: Callable[[], Ran]) -> frozenset[str]:
    """Return which unexpected failures were chance: a few tests of the baseline that pass whenever they run again.

    A test that always fails with the patch fails again. One that fails now and then gets through a single run more
    often than through a failure and two passes after it; it is named for the reviewer. Tests that the patch brings
    have passed on no other code, so nothing says that the patch is not the reason.
    """
    if known is None or not new or len(new) > MAX_FORGIVEN or not new <= frozenset(known.passing):
        return frozenset()
    left = new
    for _ in range(RUNS_AGAIN):
        left &= again().passing
        if left != new:
            break
    return left
