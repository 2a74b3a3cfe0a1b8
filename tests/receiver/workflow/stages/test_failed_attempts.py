"""What follows an attempt that brought no fix: what is repeated, how often, and when a run goes in circles."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipelines.language import Diagnosis, DiagnosisKind, EndedBy, Phase, PhaseReport, ProjectPath, ReportOutcome
from receiver import limits
from receiver.workflow.effects import CancelPipeline, StartPipeline
from receiver.workflow.end_codes import EndCode
from receiver.workflow.run import Cause, Decision, Failure, Run, RunStatus
from receiver.workflow.stages.failed_attempts import REDONE, causes, signature

P = Phase
CONTACTS, API = ProjectPath("payk12/contacts"), ProjectPath("payk12/api")


def ended(world: Any, run: Run, *reports: PhaseReport) -> Decision:
    """Return what follows when the pipeline failed with these reports."""
    run = replace(run, discarded=reports)
    for number, report in enumerate(reports):
        of = "" if report.repository is None else f": {report.repository}"
        run, _ = world.apply(run, world.job(f"{report.phase}{of}", "failed", job=70 + number))
    run, _ = world.apply(run, world.pipeline("failed"))
    return world.decide(world.settled(run.iteration), run)  # type: ignore[no-any-return]


def no(world: Any, phase: Phase, reason: str = "2 tests fail", **changes: Any) -> PhaseReport:
    report = world.report(phase, ReportOutcome.REJECTED, reason=reason)
    return replace(report, **changes)  # type: ignore[no-any-return]


def test_a_fix_that_fails_its_tests_is_made_again_with_what_was_wrong(world: Any) -> None:
    decision = ended(world, world.run(RunStatus.RUNNING), no(world, P.TESTING))
    attempt = decision.attempt
    assert (decision.status, attempt.number, attempt.cause) == (RunStatus.STARTING, 2, Cause.FAILED)
    assert [(one.phase, one.attempt, one.messages) for one in attempt.diagnoses] == [(P.TESTING, 1, ("2 tests fail",))]
    assert decision.reason == "Attempt 1 of 3 failed, and another one begins with what was wrong. 2 tests fail."
    assert StartPipeline(iteration=2) in decision.effects


def test_the_last_attempt_ends_the_run_and_says_that_it_was_not_the_first(world: Any) -> None:
    world.policy(iterations=3)
    run = world.run(RunStatus.RUNNING, iteration=3, pipelines=at(world, 3))
    decision = ended(world, run, no(world, P.TESTING, iteration=3))
    assert (decision.status, decision.end.code) == (RunStatus.ESCALATED, EndCode.REGRESSION)
    assert decision.reason.startswith("Attempt 3 failed, too. The job testing: payk12/contacts failed: ")


@pytest.mark.parametrize("phase", [P.REPRODUCTION, P.IMPLEMENTATION, P.TESTING, P.MERGE_REQUEST])
def test_only_what_hangs_on_the_failed_phase_is_made_anew(world: Any, phase: Phase) -> None:
    mine = [replace(world.report(one), client="1.0") for one in (P.ANALYSIS, P.REPRODUCTION, P.IMPLEMENTATION)]
    run = world.run(RunStatus.RUNNING, reports=tuple(one for one in mine if one.phase is not phase))
    decision = ended(world, run, no(world, phase))
    assert {one.phase for one in decision.attempt.reuses}.isdisjoint(REDONE[phase])
    assert decision.attempt.keeps_plan


def test_a_reproduction_that_is_green_without_the_patch_is_what_is_made_anew(world: Any) -> None:
    result = replace(world.result(P.TESTING), reproduction_before_failed=False)
    wrong = no(world, P.TESTING, result=result)
    reports = tuple(replace(world.report(one), client="1.0") for one in (P.ANALYSIS, P.REPRODUCTION, P.IMPLEMENTATION))
    decision = ended(world, world.run(RunStatus.RUNNING, reports=reports), wrong)
    assert P.REPRODUCTION not in {one.phase for one in decision.attempt.reuses}


@pytest.mark.parametrize(
    ("phase", "ended_by"),
    [
        *((P.IMPLEMENTATION, one) for one in (EndedBy.BUDGET, EndedBy.LIMITS, EndedBy.LENGTH)),
        *((P.IMPLEMENTATION, one) for one in (EndedBy.DECLINED, EndedBy.NOT_PERMITTED, EndedBy.DEFECT)),
        (P.PREPARE, EndedBy.PHASE),
        (P.REPRODUCTION, EndedBy.COMMANDS),
    ],
)
def test_what_fails_the_same_way_again_is_not_tried_again(world: Any, phase: Phase, ended_by: EndedBy) -> None:
    report = no(world, phase, ended_by=ended_by) if phase is not P.PREPARE else prepare(world)
    decision = ended(world, world.run(RunStatus.RUNNING), report)
    assert (decision.status, decision.attempt) == (RunStatus.ESCALATED, None)


def test_an_interruption_waits_and_counts_as_no_attempt(world: Any) -> None:
    run = world.run(RunStatus.RUNNING)
    broken = no(world, P.IMPLEMENTATION, "The model's API is away", ended_by=EndedBy.UNAVAILABLE, result=None)
    first = ended(world, run, broken)
    due = world.now + limits.INTERRUPTED_WAIT
    assert (first.status, first.attempt.cause) == (RunStatus.STARTING, Cause.INTERRUPTED)
    assert StartPipeline(iteration=2, due_in_s=60) in first.effects
    assert first.deadline == due + limits.STARTING
    second = replace(run, iteration=2, interruptions=1, pipelines=at(world, 2))
    assert second.fixes_tried == 1
    waits = ended(world, second, replace(broken, iteration=2))
    assert StartPipeline(iteration=3, due_in_s=300) in waits.effects
    third = replace(run, iteration=3, interruptions=2, pipelines=at(world, 3))
    last = ended(world, third, replace(broken, iteration=3))
    assert (last.status, last.end.code) == (RunStatus.ESCALATED, EndCode.MODEL_UNAVAILABLE)


def test_a_runner_that_broke_repeats_only_what_did_not_count(world: Any) -> None:
    reports = tuple(replace(world.report(one), client="1.0") for one in (P.ANALYSIS, P.IMPLEMENTATION))
    run = world.run(RunStatus.RUNNING, reports=reports)
    broken = world.job("testing: payk12/contacts", "failed", failure_reason="runner_system_failure")
    run, _ = world.apply(run, broken)
    run, _ = world.apply(run, world.pipeline("failed"))
    decision = world.decide(world.settled(), run)
    assert decision.attempt.cause is Cause.INTERRUPTED
    assert P.ANALYSIS in {one.phase for one in decision.attempt.reuses}


def test_the_same_failure_twice_ends_the_run_before_its_attempts_are_used_up(world: Any) -> None:
    first = ended(world, world.run(RunStatus.RUNNING), no(world, P.TESTING, "2 tests fail after 13 s"))
    run = world.run(RunStatus.RUNNING, iteration=2, pipelines=at(world, 2), failures=(first.attempt.failure,))
    again = ended(world, run, no(world, P.TESTING, "2 tests fail after 14 s", iteration=2))
    assert (again.status, again.end.code) == (RunStatus.ESCALATED, EndCode.REPEATED_FAILURE)
    assert again.reason.startswith("Attempt 2 failed just as attempt 1 did. ")
    other = ended(world, run, no(world, P.TESTING, "The build fails", iteration=2))
    assert other.attempt.number == 3


def test_a_change_that_failed_before_is_not_tested_again(world: Any) -> None:
    change = world.result(P.IMPLEMENTATION).patch_sha256
    failure = Failure(iteration=1, signature="0" * 64, changes={CONTACTS: change})
    run = world.run(RunStatus.RUNNING, iteration=2, pipelines=at(world, 2), failures=(failure,))
    decision = world.decide(world.accepted(P.IMPLEMENTATION, iteration=2), run)
    assert (decision.status, decision.end.code) == (RunStatus.ESCALATED, EndCode.REPEATED_CHANGE)
    assert any(isinstance(one, CancelPipeline) for one in decision.effects)
    reused = replace(run, reports=(world.report(P.IMPLEMENTATION),))  # of the first iteration, which is no new change
    assert world.decide(world.accepted(P.REPRODUCTION, iteration=2), reused).end is None


def test_of_each_repository_the_earliest_failure_is_the_cause(world: Any) -> None:
    made = no(world, P.IMPLEMENTATION, "refused"), no(world, P.TESTING, "barred"), no(world, P.TESTING, repository=API)
    run = world.run(RunStatus.RUNNING, discarded=made)
    assert [(one.phase, one.repository) for one in causes(run)] == [(P.IMPLEMENTATION, CONTACTS), (P.TESTING, API)]


def test_another_repository_keeps_its_work(world: Any) -> None:
    kept = replace(world.report(P.ANALYSIS), client="1.0")
    decision = ended(world, world.run(RunStatus.RUNNING, reports=(kept,)), no(world, P.TESTING))
    assert REDONE[P.TESTING] >= {P.IMPLEMENTATION, P.TESTING}
    assert [one.phase for one in decision.attempt.reuses] == [P.ANALYSIS]


diagnosis = st.builds(
    Diagnosis,
    kind=st.sampled_from([DiagnosisKind.FAILING_TESTS, DiagnosisKind.REGRESSION]),
    phase=st.sampled_from([P.TESTING, P.IMPLEMENTATION]),
    tests=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    messages=st.lists(st.text("ab", max_size=5), max_size=2).map(tuple),
)


@given(st.lists(diagnosis, max_size=4), st.randoms(use_true_random=False))
def test_a_signature_does_not_depend_on_order_or_numbers(found: list[Diagnosis], shuffled: Any) -> None:
    before = signature(EndCode.FAILING_TESTS, found)
    others = [replace(one, tests=tuple(reversed(one.tests)), attempt=7) for one in found]
    shuffled.shuffle(others)
    assert signature(EndCode.FAILING_TESTS, others) == before
    assert signature(EndCode.REGRESSION, found) != before
    if found:
        assert signature(EndCode.FAILING_TESTS, [*found[1:], replace(found[0], messages=("c",))]) != before


def at(world: Any, iteration: int) -> Any:
    pipelines = world.run(RunStatus.RUNNING).pipelines
    return tuple(replace(one, iteration=iteration) for one in pipelines)


def prepare(world: Any) -> PhaseReport:
    report = world.report(P.REPRODUCTION, ReportOutcome.REJECTED, reason="Installing fails")
    return replace(report, phase=P.PREPARE, result=None)  # type: ignore[no-any-return]
