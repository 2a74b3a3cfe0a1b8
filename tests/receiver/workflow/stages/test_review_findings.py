"""What becomes of a review: findings that must be fixed go back once, everything else is opened."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import (
    Diagnosis,
    DiagnosisKind,
    FileWord,
    Finding,
    Location,
    Phase,
    ProbedFile,
    Proof,
    ReportOutcome,
    Severity,
)
from pipelines.language.policy import ReviewMode
from receiver.workflow.effects import OpenMergeRequest, StartPipeline
from receiver.workflow.person import AccountId
from receiver.workflow.run import Cause, Decision, Run, RunStatus
from receiver.workflow.stages import review_findings

MUST = Finding(
    file="src/a.py", line=3, severity=Severity.MUST_FIX, claim="Names of two words break.", suggestion="Quote both."
)
SHOULD = replace(MUST, severity=Severity.SHOULD_FIX, line=0, claim="A test is missing.")


def reviewed(world: Any, run: Run, found: tuple[Finding, ...], **changes: Any) -> tuple[Run, Decision]:
    """Let everything be reported that opens a merge request, and a review with these findings."""
    number = run.iteration
    for phase in (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING):
        run, _ = world.apply(run, world.accepted(phase, iteration=number))
    run, _ = world.apply(run, world.accepted(Phase.REVIEW, iteration=number, findings=found, **changes))
    return world.apply(run, world.accepted(Phase.MERGE_REQUEST, iteration=number))  # type: ignore[no-any-return]


def test_findings_that_must_be_fixed_start_the_next_iteration_with_them(world: Any) -> None:
    world.policy(review=ReviewMode.ONCE)
    run, decision = reviewed(world, world.run(RunStatus.RUNNING), (MUST, SHOULD))
    attempt = decision.attempt
    assert attempt is not None
    assert (decision.status, attempt.number, attempt.cause) == (RunStatus.STARTING, 2, Cause.SENT_BACK)
    assert attempt.keeps_plan
    assert StartPipeline(iteration=2) in decision.effects
    assert not any(isinstance(effect, OpenMergeRequest) for effect in decision.effects)
    assert "the review found 1 thing that must be fixed; it is made again, once." in decision.reason
    assert attempt.diagnoses == (
        Diagnosis(
            kind=DiagnosisKind.REVIEW_FINDING,
            phase=Phase.REVIEW,
            repository=world.repository,
            messages=("Names of two words break.", "Suggestion: Quote both."),
            location=Location(repository=world.repository, file="src/a.py", line=3),
        ),
    )
    run, started = world.apply(run, world.started(pipeline=200, iteration=2))
    assert (started.status, run.iteration) == (RunStatus.RUNNING, 2)


def test_what_runs_did_not_show_of_the_patch_goes_back_as_well(world: Any) -> None:
    world.policy(review=ReviewMode.ONCE)
    proof = Proof(files=(ProbedFile(path="src/b.py", word=FileWord.UNEXPLAINED),))
    run = world.run(RunStatus.RUNNING)
    for phase in (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION):
        run, _ = world.apply(run, world.accepted(phase))
    run, _ = world.apply(run, world.accepted(Phase.TESTING, proof=proof))
    run, _ = world.apply(run, world.accepted(Phase.REVIEW, findings=(MUST,)))
    _, decision = world.apply(run, world.accepted(Phase.MERGE_REQUEST))
    assert decision.attempt is not None
    assert [one.kind for one in decision.attempt.diagnoses] == ["review_finding", "not_shown"]
    assert decision.attempt.diagnoses[1].messages == (
        "src/b.py: no effect on the reproduction or the new tests (unexplained).",
    )


def test_the_second_time_they_stand_in_the_merge_request(world: Any) -> None:
    world.policy(review=ReviewMode.ONCE)
    run, _ = reviewed(world, world.run(RunStatus.RUNNING), (MUST,))
    run, _ = world.apply(run, world.started(pipeline=200, iteration=2))
    _, decision = reviewed(world, run, (MUST,))
    assert decision.status is RunStatus.OPENING


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ({"review": ReviewMode.ONCE}, (SHOULD,)),
        ({"review": ReviewMode.ONCE}, ()),
        ({"review": ReviewMode.ADVISE}, (MUST,)),
        ({"review": ReviewMode.OFF}, (MUST,)),
        ({"review": ReviewMode.ONCE, "iterations": 1}, (MUST,)),
    ],
)
def test_everything_else_is_opened(world: Any, policy: dict[str, Any], found: tuple[Finding, ...]) -> None:
    world.policy(**policy)
    _, decision = reviewed(world, world.run(RunStatus.RUNNING), found)
    assert decision.status is RunStatus.OPENING


def test_a_review_of_another_patch_sends_nothing_back(world: Any) -> None:
    world.policy(review=ReviewMode.ONCE)
    _, decision = reviewed(world, world.run(RunStatus.RUNNING), (MUST,), patch_sha256="f" * 64)
    assert decision.status is RunStatus.OPENING


def test_without_a_review_the_fix_is_opened(world: Any) -> None:
    world.policy(review=ReviewMode.ONCE)
    run = world.run(RunStatus.RUNNING)
    for phase in (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING):
        run, _ = world.apply(run, world.accepted(phase))
    run, _ = world.apply(run, world.discarded(Phase.REVIEW, ReportOutcome.FAILED, "It used all of its turns."))
    _, decision = world.apply(run, world.accepted(Phase.MERGE_REQUEST))
    assert decision.status is RunStatus.OPENING


def test_an_approved_plan_stays_approved(world: Any) -> None:
    world.policy(review=ReviewMode.ONCE)
    run = world.run(RunStatus.RUNNING, approved_by=AccountId("5b10ac"))
    _, decision = reviewed(world, run, (MUST,))
    assert decision.attempt is not None
    assert (decision.status, decision.attempt.approved_by) == (RunStatus.STARTING, "5b10ac")


def test_what_the_next_attempt_is_told_is_bounded(world: Any) -> None:
    many = tuple(replace(MUST, claim="x" * 20_000) for _ in range(20))
    run = world.run(RunStatus.RUNNING)
    for phase, changes in ((Phase.TESTING, {}), (Phase.REVIEW, {"findings": many})):
        run, _ = world.apply(run, world.accepted(phase, **changes))
    assert len(review_findings.to_be_fixed(run)) == 20
    told = review_findings.diagnoses(run)
    assert sum(len(text) for one in told for text in one.messages) == review_findings.LONGEST
