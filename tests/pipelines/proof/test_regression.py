"""When a patch makes a repository's own checks worse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipelines.language import CheckResult, Coverage, NamedTest, PrepareResult, Proof, SuiteResult, TestWord
from pipelines.language import TestingResult as PatchTested
from pipelines.language.policy import Policy, ProofPolicy
from pipelines.proof.regression import Comparison, regressions

SHA = "a" * 40


def suite(**facts: Any) -> SuiteResult:
    values = {"passed": 10, "failed": 0, "errors": 0, "skipped": 0, "duration_s": 1.0, "exit_code": 0}
    return SuiteResult(**{**values, **facts})


def lint(code: int) -> CheckResult:
    return CheckResult(exit_code=code, duration_s=1.0)


def lines(covered: int, coverable: int) -> Coverage:
    return Coverage(covered=covered, coverable=coverable)


BEFORE = PrepareResult(base_sha=SHA, baseline=suite(), integration=suite(), coverage=lines(80, 100), lint=lint(0))
AFTER = PatchTested(
    base_sha=SHA,
    patch_sha256="b" * 64,
    test_sha256="c" * 64,
    reproduction_before_failed=True,
    reproduction_after_passed=True,
    suite=suite(passed=12),
    integration=suite(),
    new_failures=(),
    coverage_before=lines(80, 100),
    coverage=lines(82, 102),
    changed_coverage=lines(2, 2),
    lint=lint(0),
)


def found(before: PrepareResult | None, after: PatchTested, *, removed: int = 0, **policy: Any) -> tuple[str, ...]:
    return regressions(Comparison(before=before, after=after, policy=Policy(**policy), removed=removed))


def test_a_patch_that_makes_nothing_worse_is_not_refused() -> None:
    assert found(BEFORE, AFTER) == ()


OLD = suite(passed=9, failed=1, exit_code=1, failing=("t::old",))
FLAKY = suite(passed=9, failed=1, exit_code=1, flaky=("t::flaky",))


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (suite(), suite(), None),
        (suite(passed=12), suite(), None),
        (suite(), None, None),
        (OLD, OLD, None),
        (suite(), OLD, None),
        (suite(passed=8, failed=2, exit_code=1), OLD, "2 integration tests fail; 1 failed before"),
        (suite(passed=9, failed=1, exit_code=1), None, "1 integration tests fail; 0 failed before"),
        (suite(passed=9), suite(), "Only 9 integration tests ran; 10 ran before"),
        (suite(passed=0), suite(), "must not vanish"),
        (suite(passed=9, skipped=1), suite(), "must not vanish"),
        (None, suite(), "were not run"),
        # What flaky tests do says nothing.
        (suite(passed=9, failed=1, exit_code=1), FLAKY, None),
        (suite(passed=9), FLAKY, None),
        (suite(passed=8), FLAKY, "must not vanish"),
        (suite(passed=9, failed=1, exit_code=1, flaky=("t::a",)), suite(), None),
        (suite(passed=8, failed=2, exit_code=1, flaky=("t::a",)), suite(), "2 integration tests fail"),
        # Exit code and report have to say the same, unless they did not before either.
        (suite(exit_code=3), suite(), "ended with 3 though its report names no failing test"),
        (suite(exit_code=-9), suite(), "ended with -9"),
        (suite(exit_code=3), suite(exit_code=2), None),
        (suite(passed=9, failed=1, exit_code=0), OLD, "ended with 0 though its report names 1 failing"),
        (suite(passed=9, failed=1, exit_code=0), suite(passed=9, errors=1, exit_code=0), None),
        # Silence: the process ended without a word, and nobody knows what it should have said.
        (suite(passed=0), None, "left no report of any test"),
        (suite(passed=0), suite(passed=0), None),
        (suite(passed=0, skipped=3), None, None),
        (suite(passed=3, skipped=3), None, None),
        (suite(passed=0, exit_code=1), suite(passed=0, exit_code=1), "left no report that could be read"),
        (suite(passed=0, exit_code=5, reports_read=1), suite(passed=0, exit_code=5, reports_read=1), None),
        (suite(passed=1, skipped=1, exit_code=5), suite(passed=1, skipped=1, exit_code=5), None),
        (suite(passed=1, exit_code=5, reports_read=1), suite(passed=1, exit_code=5, reports_read=1), None),
        (suite(exit_code=1, reports_unread=2), suite(exit_code=1, reports_unread=2), "and 2 reports could not be read"),
        (suite(exit_code=0, reports_unread=1), suite(), None),
    ],
)
def test_a_suite_is_worse_when_tests_fail_vanish_or_contradict_themselves(
    now: SuiteResult | None, before: SuiteResult | None, words: str | None
) -> None:
    sentences = found(
        PrepareResult(base_sha=SHA, baseline=None, integration=before), replace(AFTER, suite=None, integration=now)
    )
    other = [sentence for sentence in sentences if not sentence.startswith("Lint")]
    assert other == [] if words is None else words in " ".join(other)
    same = found(PrepareResult(base_sha=SHA, baseline=before), replace(AFTER, suite=now, integration=None, lint=None))
    assert [sentence.replace("unit test", "integration test") for sentence in same] == other
    beside = found(
        PrepareResult(base_sha=SHA, baseline=OLD, integration=before),
        replace(AFTER, suite=OLD, integration=now, lint=None),
    )
    assert list(beside) == other  # what was wrong with one kind before hides nothing of the other


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("new_failures", "6 tests fail that did not fail before the patch: t::0, t::1, t::2, t::3, t::4 and 1 more."),
        ("missing", "6 tests that ran before did not run"),
    ],
)
def test_tests_that_are_worse_are_named(field: str, words: str) -> None:
    (sentence,) = found(BEFORE, replace(AFTER, **{field: tuple(f"t::{number}" for number in range(6))}))
    assert words in sentence
    (sentence,) = found(BEFORE, replace(AFTER, **{field: tuple(f"t::{number}" for number in range(5))}))
    assert ": t::0, t::1, t::2, t::3, t::4." in sentence


def test_failures_that_are_named_are_not_counted_as_well() -> None:
    worse = replace(AFTER, suite=suite(passed=9, failed=1, exit_code=1), new_failures=("t::one",))
    assert found(BEFORE, worse) == ("1 test fails that did not fail before the patch: t::one.",)


@pytest.mark.parametrize("word", [TestWord.CONTRADICTED, TestWord.UNPROVABLE])
def test_base_tests_that_do_not_hold_are_for_people_to_judge_and_refused_by_a_strict_policy(word: TestWord) -> None:
    result = replace(AFTER, proof=Proof(tests=(NamedTest(name="t::one", word=word),)))
    assert found(BEFORE, result) == ()
    (sentence,) = found(BEFORE, result, proof=ProofPolicy.STRICT)
    assert f"({word}): t::one." in sentence


@pytest.mark.parametrize("word", [TestWord.UNPROVEN, TestWord.WEAK_RED])
def test_what_new_tests_do_not_show_is_never_refused(word: TestWord) -> None:
    result = replace(AFTER, proof=Proof(tests=(NamedTest(name="t.py", word=word),)))
    assert found(BEFORE, result, proof=ProofPolicy.STRICT) == ()


def test_a_contradicted_test_may_be_gone() -> None:
    assert BEFORE.baseline is not None
    fewer = replace(AFTER, suite=replace(BEFORE.baseline, passed=BEFORE.baseline.passed - 1))
    assert "must not vanish" in found(BEFORE, fewer)[0]
    gone = Proof(tests=(NamedTest(name="t::one", word=TestWord.CONTRADICTED),))
    assert found(BEFORE, replace(fewer, proof=gone)) == ()


def test_without_a_baseline_every_failure_counts() -> None:
    assert found(None, AFTER) == ()
    (sentence,) = found(None, replace(AFTER, new_failures=("t::one",)))
    assert "no baseline to know them from: t::one" in sentence


@pytest.mark.parametrize(
    ("before", "after", "removed", "words"),
    [
        (lines(80, 100), lines(80, 100), 0, None),
        (None, lines(1, 100), 0, None),
        (lines(0, 0), lines(0, 0), 0, None),
        (lines(800, 1000), lines(795, 1000), 0, None),  # 0.50 points, as much as policy allows
        (lines(800, 1000), lines(800, 1007), 0, "Coverage fell from 80.00 % to 79.44 %; 7 more lines"),
        (lines(80, 100), lines(70, 90), 10, None),  # only covered lines were removed: nothing is tested less
        (lines(80, 100), lines(70, 91), 10, "1 more lines"),
        (lines(80, 100), lines(80, 99), 0, None),
        (lines(80, 100), lines(80, 80), 0, "measured of 80 lines only; it was of 100, and the patch removes 0"),
        (lines(80, 100), lines(80, 80), 20, None),
        (lines(80, 100), None, 0, "no coverage report that can be read"),
    ],
)
def test_coverage_in_all_must_not_fall(
    before: Coverage | None, after: Coverage | None, removed: int, words: str | None
) -> None:
    sentences = found(replace(BEFORE, coverage=before), replace(AFTER, coverage=after), removed=removed)
    assert sentences == () if words is None else words in " ".join(sentences)


def test_the_tolerance_is_policys() -> None:
    fallen = replace(AFTER, coverage=lines(80, 105))
    assert found(BEFORE, fallen, coverage_tolerance_pp=Decimal(4)) == ()
    assert "Policy allows 3.8 percentage points" in found(BEFORE, fallen, coverage_tolerance_pp=Decimal("3.8"))[0]


@pytest.mark.parametrize(
    ("changed", "least", "is_refused"),
    [
        (lines(0, 4), 1, True),
        (lines(1, 4), 1, False),
        (lines(0, 0), 1, False),
        (None, 1, False),
        (lines(0, 4), 0, False),
        (lines(3, 4), 80, True),
        (lines(4, 5), 80, False),
    ],
)
def test_of_changed_lines_policy_says_how_many_tests_must_run(
    changed: Coverage | None, least: int, *, is_refused: bool
) -> None:
    sentences = found(BEFORE, replace(AFTER, changed_coverage=changed), changed_coverage_min=least)
    assert bool(sentences) is is_refused


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (0, 0, None),
        (1, 0, None),
        (1, 1, None),
        (0, 1, "was clean before the patch and ends with 1 now"),
        (1, 2, "ended with 1 before the patch and ends with 2 now"),
        (2, 1, None),
        (None, 1, "has no baseline"),
        (None, 0, None),
        (0, None, "not run"),
        (None, None, None),
    ],
)
def test_lint_that_was_clean_stays_clean(before: int | None, after: int | None, words: str | None) -> None:
    sentences = found(
        replace(BEFORE, lint=None if before is None else lint(before)),
        replace(AFTER, lint=None if after is None else lint(after)),
    )
    assert sentences == () if words is None else words in sentences[0]


SUITES = st.builds(
    suite,
    passed=st.integers(0, 30),
    failed=st.integers(0, 5),
    errors=st.integers(0, 3),
    skipped=st.integers(0, 5),
    reports_read=st.just(1),
    exit_code=st.sampled_from([0, 1, 2, -9]),
)


@given(before=SUITES, after=SUITES)
def test_whoever_fails_more_or_runs_less_is_always_refused(before: SuiteResult, after: SuiteResult) -> None:
    sentences = found(
        PrepareResult(base_sha=SHA, baseline=before), replace(AFTER, suite=after, integration=None, lint=None)
    )
    worse = after.failed + after.errors > before.failed + before.errors
    fewer = after.passed + after.failed + after.errors < before.passed + before.failed + before.errors
    if worse or fewer:
        assert sentences


@given(before=SUITES)
def test_the_same_again_is_never_refused(before: SuiteResult) -> None:
    after = replace(AFTER, suite=before, integration=None, lint=None)
    assert found(PrepareResult(base_sha=SHA, baseline=before), after) == ()
