import pytest

from tests.bench.critical_path import Span, account, critical_path
from tests.bench.whole_run import junit_seconds


def span(phase: str, start: float, end: float, *, tests_s: float = 0.0, model_s: float = 0.0) -> Span:
    return Span(phase=phase, start=start, end=end, tests_s=tests_s, model_s=model_s)


RUN = (
    span("analysis", 1, 4, model_s=1.0),
    span("prepare", 1, 6, tests_s=2.0),
    span("generate", 7, 8),
    span("reproduction", 9, 15, tests_s=3.0, model_s=1.0),
    span("implementation", 9, 12, model_s=2.0),
    span("testing", 16, 20, tests_s=2.5),
    span("merge_request", 21, 22),
)


def test_of_jobs_side_by_side_the_one_that_ended_last_is_on_the_critical_path() -> None:
    assert [one.phase for one in critical_path(RUN)] == [
        "prepare",
        "generate",
        "reproduction",
        "testing",
        "merge_request",
    ]


def test_tests_and_model_turns_beside_the_critical_path_are_not_taken_off() -> None:
    accounts = account(RUN, wall_s=23.0)
    assert accounts.tests_s == pytest.approx(2.0 + 3.0 + 2.5)
    assert accounts.model_s == pytest.approx(1.0)
    assert accounts.ours_s == pytest.approx(23.0 - 7.5 - 1.0)
    assert accounts.ratio == pytest.approx(23.0 / 8.5)
    assert accounts.between_s == pytest.approx(23.0 - (5 + 1 + 6 + 4 + 1))


def test_the_time_of_a_junit_report_is_that_of_all_its_suites() -> None:
    report = b'<testsuites><testsuite time="1.25"/><testsuite time="0.5"/><testsuite/></testsuites>'
    assert junit_seconds(report) == pytest.approx(1.75)
