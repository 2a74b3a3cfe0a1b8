"""What counts as healed: the checks that failed, green, or as they were before the fix."""

import pytest

from pipelines.language import Check, CheckOutput, CheckResult, Diagnosis, DiagnosisKind, PrepareResult, SuiteResult
from pipelines.proof.check_lines import one_line, telling_lines
from pipelines.proof.remedy_verdict import checks_to_run, newest, still_red_lint, still_red_tests


def lint(code: int) -> CheckResult:
    return CheckResult(exit_code=code, duration_s=1.0)


def before(code: int) -> PrepareResult:
    return PrepareResult(base_sha="a" * 40, baseline=None, lint=lint(code))


def suite(*failing: str, exit_code: int = 0, passed: int = 2) -> SuiteResult:
    return SuiteResult(
        passed=passed, failed=len(failing), errors=0, skipped=0, duration_s=1.0, exit_code=exit_code, failing=failing
    )


def wrong(attempt: int, *checks: Check, repository: str = "payk12/contacts") -> Diagnosis:
    output = tuple(CheckOutput(check=one, lines=("x",)) for one in checks)
    return Diagnosis(kind=DiagnosisKind.REGRESSION, repository=repository, output=output, attempt=attempt)


def test_only_the_checks_that_failed_last_in_this_repository_are_run() -> None:
    known = [wrong(1, Check.TESTS), wrong(2, Check.LINT), wrong(3, Check.TESTS, repository="payk12/api")]
    assert checks_to_run(newest(known, repository="payk12/contacts")) == {Check.LINT}
    assert checks_to_run(newest(known, repository="payk12/web")) == frozenset()


@pytest.mark.parametrize(
    ("known", "now", "is_red"),
    [(None, 0, False), (None, 1, True), (0, 1, True), (1, 1, False), (1, 2, True), (2, 1, False)],
)
def test_lint_is_healed_when_it_is_no_worse_than_before_the_fix(known: int | None, now: int, *, is_red: bool) -> None:
    assert bool(still_red_lint(None if known is None else before(known), lint(now))) is is_red


def test_lint_that_can_not_be_run_heals_nothing() -> None:
    assert still_red_lint(before(0), None) == "there is no lint command to verify it with"


def test_tests_are_healed_when_none_of_those_that_failed_fails() -> None:
    assert still_red_tests({"a"}, [suite("b", exit_code=1)]) is None
    assert still_red_tests({"a"}, [suite(), suite("a", exit_code=1)]) == "a still fails"


def test_where_no_test_was_named_none_may_fail() -> None:
    assert still_red_tests(set(), [suite("b", exit_code=1)]) == "b still fails"
    assert still_red_tests(set(), [suite()]) is None


def test_a_command_that_fails_without_a_word_heals_nothing() -> None:
    assert still_red_tests({"a"}, [suite(exit_code=2)]) == "the test command ends with 2 and names no failing test"
    assert still_red_tests({"a"}, []) == "there is no test command to verify it with"


def test_of_long_output_the_beginning_and_the_end_are_told() -> None:
    lines = telling_lines("\n\n".join(f"finding {n}" for n in range(1000)))
    assert len(lines) == 40
    assert (lines[0], lines[19], lines[20], lines[-1]) == ("finding 0", "finding 19", "finding 980", "finding 999")


def test_a_line_has_neither_colours_nor_control_characters_nor_endless_length() -> None:
    assert one_line("\x1b[31mWould\x1b[0m\treformat:\x00 a.py\u202e") == "Would reformat: a.py"
    assert len(one_line("x" * 10_000)) == 300
