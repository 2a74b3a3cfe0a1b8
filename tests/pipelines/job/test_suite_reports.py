"""What GitLab shows of a reproduction says whether it was to fail."""

import pytest

from pipelines.job.report_formats.junit import read_cases
from pipelines.job.report_formats.suite_reports import reproduction, written
from pipelines.proof.test_cases import CaseOutcome, case
from sandbox.ci.running.reports import junit

RED = case("test_reproduction", "test_saves[O'Brien]", CaseOutcome.FAILED, message="assert 500 == 201", seconds="0.37")
GREEN = case("test_reproduction", "test_saves[O'Brien]", CaseOutcome.PASSED)


def test_a_red_run_on_the_unpatched_code_says_that_it_has_to_be_red() -> None:
    (shown,) = junit(reproduction([RED], is_patched=False))
    assert (shown.status, shown.name, shown.execution_time) == ("failed", "test_saves[O'Brien]", 0.37)
    assert shown.classname == "reproduction on the unpatched code (must fail)"
    assert shown.system_output is not None
    assert shown.system_output.startswith("This failure is wanted: ")
    assert shown.system_output.endswith("assert 500 == 201")


@pytest.mark.parametrize("one", [RED, GREEN])
def test_a_run_with_the_patch_says_that_it_has_to_be_green(one: object) -> None:
    (shown,) = junit(reproduction([one], is_patched=True))  # type: ignore[list-item]  # a case
    assert shown.classname == "reproduction with the patch (must pass)"
    assert shown.system_output in {None, "assert 500 == 201"}


def test_what_is_written_is_read_again_as_the_same_cases() -> None:
    assert read_cases(written([RED, GREEN])) == (RED, GREEN)
