"""Success is a yes only where something says so."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import (
    Coverage,
    FixSubmission,
    ImplementationResult,
    Phase,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    SuiteResult,
)
from pipelines.language import (
    TestingResult as Proof,
)
from receiver.insight.indicators import Answer, Facts, Name, Opened, ReportFacts, judge
from receiver.workflow.run import RunStatus
from receiver.workflow.stages.target_pipeline_status import TargetPipelineStatus

ONE, TWO = ProjectPath("payk12/api"), ProjectPath("payk12/web")
SHA, HASH = "a" * 40, "b" * 64


def suite(passed: int = 40, failed: int = 0, **more: Any) -> SuiteResult:
    return SuiteResult(passed=passed, failed=failed, errors=0, skipped=0, duration_s=1.0, exit_code=0, **more)


def proved(**changes: Any) -> Proof:
    result = Proof(
        base_sha=SHA,
        patch_sha256=HASH,
        test_sha256=HASH,
        reproduction_before_failed=True,
        reproduction_after_passed=True,
        suite=suite(),
        new_failures=(),
        integration=suite(5),
        coverage_before=Coverage(covered=80, coverable=100),
        coverage=Coverage(covered=81, coverable=100),
    )
    return replace(result, **changes)


RED = ReproductionResult(
    base_sha=SHA, reproduced=True, test_path="t.py", test_sha256=HASH, failure="", symptom="", steps=()
)


def fixed(documentation: str = "", *documents: str) -> ImplementationResult:
    return ImplementationResult(
        base_sha=SHA,
        patch_sha256=HASH,
        files=("src/a.py", *documents),
        documents=documents,
        insertions=1,
        deletions=1,
        fix=FixSubmission(summary="", files=[], risk="", rollback="", documentation=documentation),
    )


def told(phase: Phase, result: Any, repository: ProjectPath = ONE, **changes: Any) -> ReportFacts:
    report = ReportFacts(
        phase=phase,
        repository=repository,
        outcome=ReportOutcome.SUCCEEDED,
        counts=True,
        reason="Done.",
        result=result,
    )
    return replace(report, **changes)


def facts(*reports: ReportFacts, **changes: Any) -> Facts:
    known = Facts(
        status=RunStatus.MERGED,
        repositories=(ONE,),
        with_integration_tests=frozenset({ONE}),
        reports=(told(Phase.REPRODUCTION, RED), *reports),
        merge_requests=(Opened(repository=ONE, link=Answer.YES),),
        interventions=(),
    )
    return replace(known, **changes)


def answer(name: Name, known: Facts) -> tuple[Answer, str]:
    found = {one.name: one for one in judge(known)}
    assert list(found) == list(Name)
    assert all(one.reason.endswith(".") for one in found.values())
    return found[name].answer, found[name].reason


def test_a_run_that_did_all_of_it_has_five_times_yes() -> None:
    known = facts(told(Phase.TESTING, proved()), told(Phase.IMPLEMENTATION, fixed("", "CHANGELOG.md")))
    assert {one.answer for one in judge(known)} == {Answer.YES}


def test_a_run_of_which_nothing_is_known_has_no_yes() -> None:
    known = facts(status=RunStatus.RUNNING, repositories=(), merge_requests=())
    assert {one.answer for one in judge(known)} == {Answer.UNKNOWN}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Answer.YES),
        ({"suite": None}, Answer.UNKNOWN),
        ({"suite": suite(0)}, Answer.UNKNOWN),
        ({"integration": None}, Answer.UNKNOWN),
        ({"suite": suite(40, 1)}, Answer.NO),
        ({"integration": suite(4, 1)}, Answer.NO),
        ({"suite": None, "integration": suite(4, 1)}, Answer.NO),
        ({"suite": suite(40, 1, failing=("t",), flaky=("t",))}, Answer.YES),
        ({"suite": suite(40, 2, failing=("t", "u"), flaky=("t",))}, Answer.NO),
        ({"reproduction_after_passed": False}, Answer.NO),
        ({"test_sha256": "e" * 64}, Answer.NO),
    ],
)
def test_all_tests_pass_only_if_all_were_run_and_passed(changes: dict[str, Any], expected: Answer) -> None:
    assert answer(Name.ALL_TESTS, facts(told(Phase.TESTING, proved(**changes))))[0] is expected


def test_what_passed_is_said_in_one_sentence_for_a_repository() -> None:
    known = facts(told(Phase.TESTING, proved()))
    assert answer(Name.ALL_TESTS, known)[1] == (
        "payk12/api: the reproduction, 40 unit tests and 5 integration tests pass."
    )
    broken = facts(told(Phase.TESTING, proved(suite=suite(40, 2), integration=suite(4, 1))))
    assert answer(Name.ALL_TESTS, broken)[1] == (
        "payk12/api: 2 unit tests fail and 1 integration test fails with the patch."
    )


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (TargetPipelineStatus.FAILED, Answer.NO),
        (TargetPipelineStatus.PASSED, Answer.YES),
        (TargetPipelineStatus.WORKING, Answer.YES),
        (TargetPipelineStatus.WAITS, Answer.YES),
        (TargetPipelineStatus.UNKNOWN, Answer.YES),
    ],
)
def test_tests_do_not_all_pass_while_the_repositorys_own_pipeline_fails(
    own: TargetPipelineStatus, expected: Answer
) -> None:
    opened = Opened(repository=ONE, link=Answer.YES, target_pipeline=own)
    said = answer(Name.ALL_TESTS, facts(told(Phase.TESTING, proved()), merge_requests=(opened,)))
    assert said[0] is expected
    assert ("but the repository's own pipeline failed" in said[1]) == (expected is Answer.NO)


def test_integration_tests_are_not_missed_where_there_are_none() -> None:
    known = facts(told(Phase.TESTING, proved(integration=None)), with_integration_tests=frozenset())
    assert answer(Name.ALL_TESTS, known)[0] is Answer.YES


def test_a_rejected_patch_did_not_pass_and_a_forged_success_counts_for_nothing() -> None:
    rejected = told(Phase.TESTING, None, counts=False, outcome=ReportOutcome.REJECTED, reason="2 tests fail.")
    assert answer(Name.ALL_TESTS, facts(rejected)) == (Answer.NO, "payk12/api: 2 tests fail.")
    forged = told(Phase.TESTING, proved(), counts=False)
    assert answer(Name.ALL_TESTS, facts(forged))[0] is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(80, 80, Answer.YES), (80, 79, Answer.NO), (None, 80, Answer.UNKNOWN), (80, None, Answer.UNKNOWN)],
)
def test_coverage_is_kept_only_if_it_was_measured_before_and_after(
    before: int | None, after: int | None, expected: Answer
) -> None:
    def of(covered: int | None) -> Coverage | None:
        return None if covered is None else Coverage(covered=covered, coverable=100)

    known = facts(told(Phase.TESTING, proved(coverage_before=of(before), coverage=of(after))))
    assert answer(Name.COVERAGE_KEPT, known)[0] is expected


def test_a_fix_that_only_removes_covered_lines_keeps_coverage() -> None:
    before, after = Coverage(covered=80, coverable=100), Coverage(covered=70, coverable=90)
    known = facts(told(Phase.TESTING, proved(coverage_before=before, coverage=after)))
    assert answer(Name.COVERAGE_KEPT, known)[0] is Answer.YES


@pytest.mark.parametrize(
    ("status", "requests", "expected"),
    [
        (RunStatus.MERGED, (Opened(repository=ONE, link=Answer.YES),), Answer.YES),
        (RunStatus.IN_REVIEW, (Opened(repository=ONE, link=Answer.UNKNOWN),), Answer.UNKNOWN),
        (RunStatus.IN_REVIEW, (Opened(repository=ONE, link=Answer.NO),), Answer.NO),
        (RunStatus.RUNNING, (), Answer.UNKNOWN),
        (RunStatus.ESCALATED, (), Answer.NO),
    ],
)
def test_a_merge_request_counts_once_the_ticket_links_to_it(
    status: RunStatus, requests: tuple[Opened, ...], expected: Answer
) -> None:
    assert answer(Name.MERGE_REQUEST_LINKED, facts(status=status, merge_requests=requests))[0] is expected


@pytest.mark.parametrize(
    ("fix", "expected"),
    [
        (fixed("", "docs/api.adoc"), Answer.YES),
        (fixed("Nobody sees the change."), Answer.YES),
        (fixed(""), Answer.UNKNOWN),
        (fixed("  "), Answer.UNKNOWN),
        (None, Answer.UNKNOWN),
    ],
)
def test_documentation_counts_if_it_was_changed_or_it_is_said_why_not(
    fix: ImplementationResult | None, expected: Answer
) -> None:
    assert answer(Name.DOCUMENTATION_UPDATED, facts(told(Phase.IMPLEMENTATION, fix)))[0] is expected


@pytest.mark.parametrize(
    ("status", "interventions", "expected"),
    [
        (RunStatus.MERGED, (), Answer.YES),
        (RunStatus.IN_REVIEW, (), Answer.UNKNOWN),
        (RunStatus.IN_REVIEW, ("commit",), Answer.NO),
        (RunStatus.ESCALATED, ("escalation",), Answer.NO),
    ],
)
def test_no_intervention_is_known_at_the_end_only(
    status: RunStatus, interventions: tuple[str, ...], expected: Answer
) -> None:
    assert answer(Name.NO_INTERVENTION, facts(status=status, interventions=interventions))[0] is expected


def test_of_several_repositories_the_weightiest_answer_counts() -> None:
    good, bad = told(Phase.TESTING, proved()), told(Phase.TESTING, proved(suite=suite(40, 1)), TWO)
    known = facts(good, told(Phase.REPRODUCTION, RED, TWO), bad, repositories=(ONE, TWO))
    assert answer(Name.ALL_TESTS, known) == (Answer.NO, "payk12/web: 1 unit test fails with the patch.")
    assert answer(Name.ALL_TESTS, facts(good, repositories=(ONE, TWO)))[0] is Answer.UNKNOWN


def test_the_newest_report_of_a_phase_is_the_one_that_counts() -> None:
    known = facts(told(Phase.TESTING, proved(suite=suite(40, 1))), told(Phase.TESTING, proved()))
    assert answer(Name.ALL_TESTS, known)[0] is Answer.YES
