"""Why a run brought no fix, and what people can do next: what ended it decides, not the phase alone."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import EndedBy, Phase, ReportOutcome
from receiver import limits
from receiver.workflow.end_codes import CLASSES, EndCode, FailureClass, failure_class
from receiver.workflow.end_reasons import DIAGNOSED, ENDED_BY, NEXT, NEXT_AFTER, of_no
from receiver.workflow.run import RunStatus
from receiver.workflow.stages.failed_attempts import RETRIED

JOBS = {
    Phase.ANALYSIS: "analysis",
    Phase.PREPARE: "prepare: [payk12/contacts, python]",
    Phase.GENERATE: "generate",
    **{
        phase: f"{phase}: payk12/contacts"
        for phase in (Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.REVIEW, Phase.MERGE_REQUEST)
    },
}


def test_every_code_of_a_failure_has_one_class_and_honest_outcomes_have_none() -> None:
    assert set(ENDED_BY) == set(EndedBy) - {EndedBy.PHASE}
    assert set(CLASSES.values()) == set(FailureClass)
    assert {*ENDED_BY.values(), *DIAGNOSED.values()} <= set(CLASSES)
    honest = {"merged", "closed", "cancelled", "not_reproduced", "duplicate", "restricted", "no_answer"}
    assert not honest & set(CLASSES)


def test_the_page_names_every_code_beside_its_class(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs" / "steering.md").read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| ")}
    for code in EndCode:
        kind = failure_class(code)
        line = lines["none: an outcome, or people's decision" if kind is None else f"`{kind}`"]
        assert f"`{code}`" in line, code


def ended(world: Any, phase: Phase, ended_by: EndedBy, *, job: str = "failed", **changes: Any) -> tuple[Any, str]:
    """Let a job of a phase end, its report be discarded and its pipeline fail; return the run and the reason.

    No attempt is left.
    """
    world.policy(iterations=1)
    was_retried = limits.INTERRUPTIONS if ENDED_BY.get(ended_by) in RETRIED else 0
    run = world.run(RunStatus.RUNNING, interruptions=was_retried)
    pipeline = world.parent if phase in {Phase.ANALYSIS, Phase.PREPARE, Phase.GENERATE} else world.child
    run, _ = world.apply(run, world.pipeline("running", pipeline=world.child, parent=world.parent))
    run, _ = world.apply(run, world.job(JOBS[phase], job, pipeline=pipeline, **changes))
    said = world.discarded(Phase.TESTING, ReportOutcome.FAILED, "It went wrong")
    repository = None if phase in {Phase.ANALYSIS, Phase.GENERATE} else world.repository
    report = replace(said.report, phase=phase, repository=repository, result=None, ended_by=ended_by)
    run, _ = world.apply(run, replace(said, report=report))
    run, _ = world.apply(run, world.pipeline("failed"))
    run, decision = world.apply(run, world.settled())
    assert decision.end is not None
    assert decision.end.code == (ENDED_BY.get(ended_by) or "unfinished")
    assert decision.end.diagnosis is not None
    assert (decision.end.diagnosis.phase, decision.end.diagnosis.repository) == (phase, repository)
    return run, decision.reason


def test_every_phase_and_everything_else_that_ends_one_has_its_own_next_step() -> None:
    assert set(NEXT) == set(Phase)
    assert set(NEXT_AFTER) == set(EndedBy) - {EndedBy.PHASE}
    steps = [*NEXT.values(), *NEXT_AFTER.values()]
    assert len(set(steps)) == len(steps)
    assert all(step.endswith(".") for step in steps)


@pytest.mark.parametrize("phase", list(Phase))
def test_a_phase_whose_own_work_failed_gets_the_advice_of_the_phase(world: Any, phase: Phase) -> None:
    run, reason = ended(world, phase, EndedBy.PHASE)
    assert run.status is RunStatus.ESCALATED
    assert reason == f"The job {JOBS[phase]} failed: It went wrong. {NEXT[phase]}"


@pytest.mark.parametrize("ended_by", sorted(set(EndedBy) - {EndedBy.PHASE}))
@pytest.mark.parametrize("phase", [Phase.ANALYSIS, Phase.IMPLEMENTATION])
def test_what_is_not_the_phases_fault_gets_other_advice(world: Any, phase: Phase, ended_by: EndedBy) -> None:
    _, reason = ended(world, phase, ended_by)
    assert reason == f"The job {JOBS[phase]} failed: It went wrong. {NEXT_AFTER[ended_by]}"


@pytest.mark.parametrize("ended_by", [EndedBy.BUDGET, EndedBy.LIMITS, EndedBy.UNAVAILABLE, EndedBy.DEFECT])
def test_nobody_is_sent_to_the_ticket_for_what_it_can_not_change(world: Any, ended_by: EndedBy) -> None:
    _, reason = ended(world, Phase.ANALYSIS, ended_by)
    assert "add" not in reason.lower().split()


def test_a_lost_report_is_the_cause_and_not_the_job_that_needed_it(world: Any) -> None:
    run = world.run(RunStatus.RUNNING)
    run, _ = world.apply(run, world.pipeline("running", pipeline=world.child, parent=world.parent))
    run, _ = world.apply(run, world.job(JOBS[Phase.IMPLEMENTATION], "success", job=7))
    lost = world.discarded(Phase.IMPLEMENTATION, ReportOutcome.FAILED, "It never arrived")
    lost = replace(lost, report=replace(lost.report, result=None, ended_by=EndedBy.UNDELIVERED))
    run, _ = world.apply(run, lost)
    run, _ = world.apply(run, world.job(JOBS[Phase.TESTING], "failed", job=8, failure_reason="script_failure"))
    run, _ = world.apply(run, world.pipeline("failed"))
    _, decision = world.apply(run, world.settled())
    assert decision.reason == (
        "The implementation of payk12/contacts did not count: It never arrived. "
        "Check that the job's runner reaches the receiver, then set the label again."
    )


def test_a_job_that_said_nothing_leads_to_its_log(world: Any) -> None:
    run = world.run(RunStatus.RUNNING)
    run, _ = world.apply(run, world.pipeline("running", pipeline=world.child, parent=world.parent))
    run, _ = world.apply(run, world.job(JOBS[Phase.TESTING], "failed", failure_reason="script_failure"))
    run, _ = world.apply(run, world.pipeline("failed"))
    _, decision = world.apply(run, world.settled())
    assert decision.reason == (
        "The job testing: payk12/contacts failed (script_failure). "
        "Read the log of the job in GitLab, then set the label again."
    )


def test_a_no_says_what_was_seen_and_tried_and_leaves_the_question_to_the_line_that_asks_it(world: Any) -> None:
    report = world.accepted(Phase.REPRODUCTION, ReportOutcome.NOT_REPRODUCED, reason="All of it.").report
    no = replace(
        report.result,
        reproduced=False,
        failure="The agent could not show the bug.",
        symptom="One receipt each time",
        steps=("Pay twice.", "Pay at the same moment"),
        question="Which bank is it?",
    )
    assert of_no(replace(report, result=no)) == (
        "The agent could not show the bug. Seen instead: One receipt each time. "
        "Tried: Pay twice; Pay at the same moment."
    )
    assert of_no(replace(report, result=None)) == "All of it."
