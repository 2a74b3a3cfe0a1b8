"""What two runs tell of a suite, and which failures with a patch are its own."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.language import KnownTests, SuiteResult
from pipelines.proof.known_tests import baseline_result, forgiven, from_result, known_tests, missing, new_failures
from pipelines.proof.suite_run import Kind, Ran
from pipelines.proof.test_cases import CaseOutcome

PASSED, FAILED, ERROR, SKIPPED = (
    CaseOutcome.PASSED,
    CaseOutcome.FAILED,
    CaseOutcome.ERROR,
    CaseOutcome.SKIPPED,
)
WORDS = {"p": PASSED, "f": FAILED, "e": ERROR, "s": SKIPPED}


def ran(outcomes: Mapping[str, CaseOutcome] | str) -> Ran:
    """Return a run; `p f -` says what the tests 0, 1 and 2 did, the last of which was not there."""
    if isinstance(outcomes, str):
        outcomes = {str(n): WORDS[word] for n, word in enumerate(outcomes.split()) if word != "-"}
    result = SuiteResult(passed=0, failed=0, errors=0, skipped=0, duration_s=0, exit_code=0)
    return Ran(kind=Kind.UNIT, command="", result=result, outcomes=dict(outcomes))


def test_what_does_not_end_alike_in_two_runs_is_flaky() -> None:
    known = known_tests(ran("p f e p f s p - s"), ran("p f f f p s s p s"))
    assert known.passing == ("0",)
    assert known.failing == ("1", "2")
    assert known.flaky == ("3", "4", "6", "7")
    listed = baseline_result(ran("p f e p f s p - s"), known)
    assert (listed.failing, listed.flaky) == (known.failing, known.flaky)


KNOWN = KnownTests(passing=("0", "1"), failing=("2",), flaky=("3",))


@pytest.mark.parametrize(
    ("now", "new", "gone"),
    [
        ("p p f p", "", ""),
        ("p p p f", "", ""),
        ("p f f p", "1", ""),
        ("e p f f", "0", ""),
        ("p p f p f", "4", ""),
        ("p - f -", "", "1"),
        ("p s s s", "", "12"),
        ("- - - -", "", "012"),
    ],
)
def test_known_failures_and_flaky_tests_are_neither_new_nor_missing(now: str, new: str, gone: str) -> None:
    assert new_failures(ran(now), KNOWN) == set(new)
    assert missing(ran(now), KNOWN) == set(gone)


def test_without_a_baseline_all_failures_are_new_and_nothing_can_be_missing() -> None:
    assert new_failures(ran("p f e s"), None) == {"1", "2"}
    assert missing(ran("- - -"), None) == frozenset()


def test_figures_alone_know_failures_but_no_names_of_passing_tests() -> None:
    result = SuiteResult(passed=1, failed=1, errors=0, skipped=0, duration_s=0, exit_code=1, failing=("2",))
    assert new_failures(ran("p f f"), from_result(result)) == {"1"}
    assert missing(ran("- - -"), from_result(result)) == {"2"}


@pytest.mark.parametrize(
    ("new", "runs", "are_forgiven"),
    [
        ("0", ["p p f p", "p p f p"], "0"),
        ("0", ["p p f p", "f p f p"], ""),
        ("0", ["f p f p"], ""),
        ("0", ["- p f p"], ""),
        ("0", ["s p f p"], ""),
        ("01", ["p f f p"], "0"),
        ("4", [], ""),  # brought by the patch
        ("04", [], ""),
        ("", [], ""),
    ],
)
def test_only_tests_of_the_baseline_that_pass_whenever_they_run_again_are_forgiven(
    new: str, runs: list[str], are_forgiven: str
) -> None:
    left = [ran(one) for one in runs]
    assert forgiven(frozenset(new), KNOWN, again=lambda: left.pop(0)) == set(are_forgiven)
    assert left == []


def test_many_failures_at_once_are_no_chance_and_nothing_is_forgiven_without_a_baseline() -> None:
    known = KnownTests(passing=tuple("0123456"), failing=(), flaky=())

    def never() -> Ran:
        raise AssertionError

    assert forgiven(frozenset("0123"), known, again=never) == frozenset()
    assert forgiven(frozenset("012"), known, again=lambda: ran("p p p p p p p")) == set("012")
    assert forgiven(frozenset("0"), None, again=never) == frozenset()


OUTCOMES = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(list(CaseOutcome)))


@given(first=OUTCOMES, second=OUTCOMES, now=OUTCOMES)
def test_a_steady_test_that_fails_or_is_gone_is_always_seen(
    first: dict[str, CaseOutcome], second: dict[str, CaseOutcome], now: dict[str, CaseOutcome]
) -> None:
    known = known_tests(ran(first), ran(second))
    seen = new_failures(ran(now), known) | missing(ran(now), known)
    for test in known.passing:
        assert (test in seen) is (now.get(test) is not PASSED)


@given(new=st.frozensets(st.sampled_from("abcdef")), known=st.frozensets(st.sampled_from("abcdef")))
def test_what_always_fails_is_never_forgiven(new: frozenset[str], known: frozenset[str]) -> None:
    always = ran(dict.fromkeys(new, FAILED))
    steady = KnownTests(passing=tuple(known), failing=(), flaky=())
    assert forgiven(new, steady, again=lambda: always) == frozenset()
