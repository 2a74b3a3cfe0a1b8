"""The way of a run, decision by decision."""

from datetime import timedelta
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from pipelines.language import Phase, PlanOutcome, ReportOutcome
from receiver import limits
from receiver.workflow import lifecycle
from receiver.workflow.effects import (
    AdmitTicket,
    CancelPipeline,
    CommentRefusal,
    LinkTicket,
    OpenMergeRequest,
    PollGitLab,
    SettleReports,
    StartPipeline,
    TransitionIssue,
    UpdateMergeRequestNote,
    UpdateTicketNote,
)
from receiver.workflow.events.event import Event
from receiver.workflow.events.run_events import DeadlinePassed, EffectGaveUp
from receiver.workflow.events.ticket_events import StartRequested, TicketRefused
from receiver.workflow.person import AccountId
from receiver.workflow.run import Run, RunStatus, Verdict


def kinds(decision: Any) -> list[str]:
    return [type(effect).__name__ for effect in decision.effects]


def cancelled(decision: Any) -> list[int]:
    return [effect.pipeline for effect in decision.effects if isinstance(effect, CancelPipeline)]


def test_a_label_starts_a_run_that_first_admits_the_ticket(world: Any) -> None:
    decision = world.decide(world.labelled(), None)
    assert decision.new_run == world.new_id
    assert decision.status is RunStatus.ADMITTING
    assert decision.deadline == world.now + lifecycle.LIMITS[RunStatus.ADMITTING]
    assert decision.effects == (AdmitTicket(issue_key=world.issue, actor="5b10ac"),)


@pytest.mark.parametrize("status", sorted(lifecycle.ACTIVE - lifecycle.WAITING))
def test_a_label_during_a_run_starts_nothing(world: Any, status: RunStatus) -> None:
    for event in (world.labelled(), StartRequested(issue_key=world.issue, actor_name="op")):
        decision = world.decide(event, world.run(status))
        assert (decision.verdict, decision.new_run, decision.effects) == (Verdict.IGNORED, None, ())


@pytest.mark.parametrize("status", sorted(set(RunStatus) - lifecycle.ACTIVE))
def test_a_label_after_a_runs_end_starts_a_new_run_on_the_same_branch(world: Any, status: RunStatus) -> None:
    ended = world.run(status, branch="bug-fix/PL-479-x")
    decision = world.decide(world.labelled(), ended)
    assert decision.new_run == world.new_id
    assert decision.branch == "bug-fix/PL-479-x"
    new = world.run(RunStatus.ADMITTING, branch="bug-fix/PL-479-x")
    assert world.decide(world.admitted("Another summary"), new).branch is None


def test_an_operator_may_always_start_a_run(world: Any) -> None:
    decision = world.decide(StartRequested(issue_key=world.issue, actor_name="op"), None)
    assert decision.effects == (AdmitTicket(issue_key=world.issue, actor=None),)


def test_the_happy_path_ends_merged_with_every_step_visible(world: Any) -> None:
    run = world.run(RunStatus.ADMITTING)
    run, decision = world.apply(run, world.admitted())
    assert (run.status, run.iteration) == (RunStatus.STARTING, 1)
    assert run.branch == "bug-fix/PL-479-contact-creation-fails-for-names-with"
    assert decision.effects == (
        StartPipeline(iteration=1),
        TransitionIssue(to_status="In Progress"),
        UpdateTicketNote(),
    )

    run, decision = world.apply(run, world.started())
    assert run.status is RunStatus.RUNNING
    assert kinds(decision) == ["LinkTicket", "PollGitLab", "UpdateTicketNote"]

    run, _ = world.apply(run, world.pipeline("running"))
    run, _ = world.apply(run, world.pipeline("running", pipeline=world.child, parent=world.parent))
    run, decision = world.apply(run, world.job("testing: payk12/contacts", "success"))
    assert decision.effects == (SettleReports(iteration=1),)
    for phase in (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING):
        run, decision = world.apply(run, world.accepted(phase))
        assert (run.status, decision.effects) == (RunStatus.RUNNING, (UpdateTicketNote(),))
    run, decision = world.apply(run, world.accepted(Phase.MERGE_REQUEST))
    assert run.status is RunStatus.OPENING
    assert decision.effects == (OpenMergeRequest(iteration=1, repository=world.repository), UpdateTicketNote())

    run, decision = world.apply(run, world.opened())
    assert run.status is RunStatus.IN_REVIEW
    assert kinds(decision) == [
        "LinkTicket",
        "AttachEvidence",
        "TransitionIssue",
        "PollGitLab",
        "UpdateTicketNote",
        "UpdateMergeRequestNote",
    ]
    run, _ = world.apply(run, world.pipeline("success"))
    assert run.status is RunStatus.IN_REVIEW

    run, decision = world.apply(run, world.merge_request("merge", "merged"))
    assert run.status is RunStatus.MERGED
    assert run.deadline is None
    assert decision.reason == "mara merged payk12/contacts!1."
    assert decision.effects == (
        TransitionIssue(to_status="Done"),
        UpdateTicketNote(),
        UpdateMergeRequestNote(repository=world.repository),
    )


def test_a_refused_ticket_gets_one_comment_and_no_status_note(world: Any) -> None:
    mara = AccountId("5b10ac")
    refused = TicketRefused(reason="Mara may not start runs.", actor=mara)
    run, decision = world.apply(world.run(RunStatus.ADMITTING), refused)
    assert run.status is RunStatus.REFUSED
    told = CommentRefusal(issue_key=world.issue, text="Mara may not start runs.", author=mara)
    assert decision.effects == (told,)


def test_a_second_pipeline_for_an_iteration_is_cancelled(world: Any) -> None:
    decision = world.decide(world.started(pipeline=999), world.run(RunStatus.RUNNING))
    assert next(e for e in decision.effects if isinstance(e, CancelPipeline)).pipeline == 999
    assert decision.status is None
    assert world.decide(world.started(), world.run(RunStatus.RUNNING)).verdict is Verdict.IGNORED


def test_a_pipeline_that_comes_to_life_after_the_run_ended_is_cancelled(world: Any) -> None:
    ended = replace(world.run(RunStatus.STARTING), status=RunStatus.ESCALATED, deadline=None)
    decision = world.decide(world.started(), ended)
    assert [type(e) for e in decision.effects] == [CancelPipeline]


@pytest.mark.parametrize(
    ("phase", "changes", "says"),
    [
        (Phase.MERGE_REQUEST, {"patch_sha256": "e" * 64}, "not the tested one"),
        (Phase.TESTING, {"test_sha256": "e" * 64}, "another test"),
        (Phase.TESTING, {"reproduction_after_passed": False}, "does not pass"),
        (Phase.TESTING, {"reproduction_before_failed": False}, "did not fail"),
        (Phase.TESTING, {"base_sha": "f" * 40}, "another commit"),
        (Phase.TESTING, {"new_failures": ("t::x",)}, "no baseline to know"),
        (Phase.REPRODUCTION, {"reproduced": False}, "without reproducing"),
    ],
)
def test_reports_that_disagree_open_nothing(world: Any, phase: Phase, changes: dict[str, Any], says: str) -> None:
    run = world.run(RunStatus.RUNNING)
    for each in (Phase.REPRODUCTION, Phase.TESTING, Phase.MERGE_REQUEST):
        run, decision = world.apply(run, world.accepted(each, **(changes if each is phase else {})))
    assert run.status is RunStatus.ESCALATED
    assert says in decision.reason
    assert not [e for e in decision.effects if isinstance(e, OpenMergeRequest)]
    assert cancelled(decision) == [world.parent]


def test_an_overdue_run_cancels_its_pipeline_unless_that_is_over(world: Any) -> None:
    late = lifecycle.LIMITS[RunStatus.RUNNING] + limits.OVERDUE_GRACE
    for status, stopped in (("running", [world.parent]), ("pending", [world.parent]), ("failed", [])):
        run, _ = world.apply(world.run(RunStatus.RUNNING), world.pipeline(status))
        run = replace(run, deadline=world.now + late)
        run, decision = world.apply(run, DeadlinePassed(status="running"), after=late)
        assert (run.status, cancelled(decision)) == (RunStatus.ESCALATED, stopped)
        run, decision = world.apply(run, world.pipeline("canceled"), after=late)
        assert (run.status, decision.effects) == (RunStatus.ESCALATED, ())


def test_a_run_that_opens_its_merge_request_leaves_its_pipeline_alone(world: Any) -> None:
    run = world.run(RunStatus.RUNNING)
    for phase in (Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.MERGE_REQUEST):
        run, decision = world.apply(run, world.accepted(phase))
        assert cancelled(decision) == []
    assert run.status is RunStatus.OPENING


def test_nothing_is_opened_before_testing_is_accepted(world: Any) -> None:
    run = world.run(RunStatus.RUNNING)
    for phase in (Phase.MERGE_REQUEST, Phase.REPRODUCTION):
        run, _ = world.apply(run, world.accepted(phase))
        assert run.status is RunStatus.RUNNING
    run, _ = world.apply(run, world.accepted(Phase.TESTING))
    assert run.status is RunStatus.OPENING


def test_a_report_of_another_iteration_means_nothing(world: Any) -> None:
    decision = world.decide(world.accepted(Phase.TESTING, iteration=2), world.run(RunStatus.RUNNING))
    assert decision.verdict is Verdict.IGNORED


@pytest.mark.parametrize(
    ("jobs", "asked"),
    [
        ({}, [PollGitLab(iteration=1)]),
        ({"testing: payk12/contacts": "running"}, [PollGitLab(iteration=1)]),
        ({"testing: payk12/contacts": "success"}, []),
    ],
)
def test_gitlab_is_asked_for_jobs_of_a_child_that_ended_before_their_end_was_heard_of(
    world: Any, jobs: dict[str, str], asked: list[PollGitLab]
) -> None:
    run = world.run(RunStatus.RUNNING)
    run, _ = world.apply(run, world.accepted(Phase.GENERATE))
    run, _ = world.apply(run, world.pipeline("running", pipeline=world.child, parent=world.parent))
    for name, status in jobs.items():
        run, _ = world.apply(run, world.job(name, status))
    decision = world.decide(world.pipeline("success", pipeline=world.child, parent=world.parent), run)
    assert decision.effects == (SettleReports(iteration=1), *asked)


def test_not_reproduced_ends_the_run_once_the_pipeline_ended_and_opens_nothing(world: Any) -> None:
    run = world.run(RunStatus.RUNNING)
    run, _ = world.apply(run, world.accepted(Phase.IMPLEMENTATION))
    no = world.accepted(Phase.REPRODUCTION, ReportOutcome.NOT_REPRODUCED, reason="Saving O'Brien works.")
    run, _ = world.apply(run, no)
    run, _ = world.apply(run, world.settled())
    assert run.status is RunStatus.RUNNING
    run, decision = world.apply(run, world.pipeline("success"))
    assert decision.effects == (SettleReports(iteration=1),)
    run, decision = world.apply(run, world.settled())
    assert run.status is RunStatus.NOT_REPRODUCED
    assert "Saving O'Brien works." in decision.reason
    assert decision.effects == (UpdateTicketNote(),)


def test_the_reason_of_a_no_is_what_reproduction_tried_and_not_that_later_jobs_had_nothing_to_do(world: Any) -> None:
    run = world.run(RunStatus.RUNNING)
    for phase in (Phase.MERGE_REQUEST, Phase.TESTING, Phase.REPRODUCTION):
        reason = "Saving O'Brien works." if phase is Phase.REPRODUCTION else "There is nothing to do."
        run, _ = world.apply(run, world.accepted(phase, ReportOutcome.NOT_REPRODUCED, reason=reason))
    run, _ = world.apply(run, world.pipeline("success"))
    run, decision = world.apply(run, world.settled())
    assert run.status is RunStatus.NOT_REPRODUCED
    assert "Saving O'Brien works." in decision.reason
    assert "nothing to do" not in decision.reason


def test_nothing_is_opened_for_a_plan_that_is_no_fix_whatever_else_is_reported(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.RUNNING), world.planned(PlanOutcome.NOT_A_BUG))
    for phase in (Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.MERGE_REQUEST):
        run, decision = world.apply(run, world.accepted(phase))
        assert (run.status, decision.effects) == (RunStatus.RUNNING, (UpdateTicketNote(),))


def test_a_failed_pipeline_escalates_with_job_reason_and_what_to_do(world: Any) -> None:
    world.policy(iterations=1)
    run = world.run(RunStatus.RUNNING)
    run, _ = world.apply(run, world.job("testing: payk12/contacts", "failed", failure_reason="script_failure"))
    run, _ = world.apply(run, world.pipeline("failed"))
    assert run.deadline == world.now + limits.REPORTS_SETTLE
    run, _ = world.apply(run, world.discarded(Phase.TESTING, ReportOutcome.REJECTED, "2 tests fail with the patch"))
    run, decision = world.apply(run, world.settled())
    assert run.status is RunStatus.ESCALATED
    assert decision.reason.startswith("The job testing: payk12/contacts failed: 2 tests fail with the patch. Look at")


@pytest.mark.parametrize(
    "name", ["prepare: [payk12/contacts, python]", "prepare windows: [payk12/contacts, dotnet-framework]"]
)
def test_a_failed_matrix_job_is_found_by_its_repository(world: Any, name: str) -> None:
    run = world.run(RunStatus.RUNNING)
    job = world.job(name, "failed", pipeline=world.parent)
    run, _ = world.apply(run, job)
    run, _ = world.apply(run, world.pipeline("failed"))
    said = world.discarded(Phase.TESTING, ReportOutcome.FAILED, "Installing contacts failed")
    report = replace(said.report, phase=Phase.PREPARE, result=None)
    run, _ = world.apply(run, replace(said, report=report))
    run, decision = world.apply(run, world.settled())
    assert "Installing contacts failed." in decision.reason
    assert "Make the repository's own install and test commands pass" in decision.reason


def test_a_runner_that_broke_is_a_failure_of_its_own_and_not_the_tickets(world: Any) -> None:
    run = world.run(RunStatus.RUNNING, interruptions=limits.INTERRUPTIONS)
    broken = world.job("analysis", "failed", pipeline=world.parent, failure_reason="runner_system_failure")
    run, _ = world.apply(run, broken)
    run, _ = world.apply(run, world.pipeline("failed"))
    run, decision = world.apply(run, world.settled())
    assert run.status is RunStatus.FAILED
    assert "analysis (runner_system_failure)" in decision.reason


@pytest.mark.parametrize("status", ["success", "skipped", "failed"])
def test_a_pipeline_that_ends_without_anything_escalates_with_a_reason(world: Any, status: str) -> None:
    run, _ = world.apply(world.run(RunStatus.RUNNING), world.pipeline(status))
    run, decision = world.apply(run, world.settled())
    assert run.status is RunStatus.ESCALATED
    assert decision.reason


def test_a_cancelled_pipeline_cancels_the_run(world: Any) -> None:
    run, decision = world.apply(world.run(RunStatus.RUNNING), world.pipeline("canceled"))
    assert run.status is RunStatus.CANCELLED
    assert "cancelled pipeline 100" in decision.reason


def test_a_late_running_never_overwrites_success(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.RUNNING), world.pipeline("success"))
    run, decision = world.apply(run, world.pipeline("running"))
    assert next(p.status for p in run.pipelines if p.parent is None) == "success"
    assert decision.verdict is Verdict.NOTED
    assert "stands" in decision.reason


def test_pipelines_that_are_nobodys_are_ignored_with_a_reason(world: Any) -> None:
    assert "No run is known yet" in world.decide(world.pipeline("running", pipeline=5), None).reason
    own = world.decide(world.pipeline("running", project=world.repository), None)
    assert (own.verdict, own.reason) == (Verdict.IGNORED, "Pipeline 100 is payk12/contacts's own.")
    assert world.decide(world.pipeline("failed", pipeline=5), world.run(RunStatus.RUNNING)).verdict is Verdict.IGNORED


@pytest.mark.parametrize("effect", ["AdmitTicket", "StartPipeline", "OpenMergeRequest"])
@pytest.mark.parametrize("status", sorted(lifecycle.ACTIVE))
def test_an_effect_that_a_run_needs_and_that_gave_up_escalates(world: Any, effect: str, status: RunStatus) -> None:
    run, decision = world.apply(world.run(status), EffectGaveUp(effect=effect, reason="GitLab said 403."))
    assert run.status is RunStatus.ESCALATED
    assert "GitLab said 403." in decision.reason


@pytest.mark.parametrize("effect", [UpdateTicketNote, UpdateMergeRequestNote, TransitionIssue, LinkTicket])
def test_a_note_that_gave_up_stops_nothing(world: Any, effect: type) -> None:
    run, decision = world.apply(world.run(RunStatus.RUNNING), EffectGaveUp(effect=effect.__name__, reason="403"))
    assert run.status is RunStatus.RUNNING
    assert decision.effects == ()


@pytest.mark.parametrize("status", sorted(lifecycle.WAITING))
def test_a_run_that_nobody_answers_for_two_weeks_is_declined_with_what_to_do(world: Any, status: RunStatus) -> None:
    run = world.run(status)
    early, _ = world.apply(run, DeadlinePassed(status=status), after=timedelta(days=13))
    assert early.status is status
    late, decision = world.apply(run, DeadlinePassed(status=status), after=timedelta(days=14))
    assert (late.status, late.deadline) == (RunStatus.DECLINED, None)
    assert "set the label again" in decision.reason.lower()
    assert UpdateTicketNote() in decision.effects


@pytest.mark.parametrize("status", sorted(lifecycle.ACTIVE - lifecycle.WAITING - {RunStatus.PAUSED}))
def test_an_overdue_run_asks_gitlab_first_and_then_escalates(world: Any, status: RunStatus) -> None:
    run, asked = world.run(status), 0
    for _ in range(10):
        assert run.deadline is not None
        after = run.deadline - world.now + timedelta(seconds=30)
        run, decision = world.apply(run, DeadlinePassed(status=run.status), after=after)
        if run.status is RunStatus.ESCALATED:
            break
        assert decision.effects == (PollGitLab(iteration=run.iteration), SettleReports(iteration=run.iteration))
        asked += 1
    assert run.status is RunStatus.ESCALATED
    assert asked == (1 if status in {RunStatus.RUNNING, RunStatus.OPENING, RunStatus.IN_REVIEW} else 0)
    assert decision.reason


@pytest.mark.parametrize("stuck", ["pending", "manual", "waiting_for_resource", "scheduled", "preparing", "created"])
def test_an_overdue_run_says_what_its_job_waits_for(world: Any, stuck: str) -> None:
    run, _ = world.apply(world.run(RunStatus.RUNNING), world.job("analysis", stuck, pipeline=world.parent))
    late = lifecycle.LIMITS[RunStatus.RUNNING] + limits.OVERDUE_GRACE
    run = replace(run, deadline=world.now + late)
    _, decision = world.apply(run, DeadlinePassed(status="running"), after=late)
    assert f"The job analysis is {stuck}: it waits for" in decision.reason


def test_a_deadline_that_passed_while_we_were_away_asks_once_more(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.RUNNING), world.pipeline("success"))
    away = timedelta(days=1)
    run, decision = world.apply(run, DeadlinePassed(status="running"), after=away)
    assert (run.status, decision.deadline) == (RunStatus.RUNNING, world.now + away + limits.OVERDUE_GRACE)
    run, _ = world.apply(run, DeadlinePassed(status="running"), after=away + limits.OVERDUE_GRACE)
    assert run.status is RunStatus.ESCALATED


def test_a_deadline_of_a_status_that_the_run_left_means_nothing(world: Any) -> None:
    assert world.decide(DeadlinePassed(status="starting"), world.run(RunStatus.RUNNING)).verdict is Verdict.IGNORED
    early = world.decide(DeadlinePassed(status="running"), world.run(RunStatus.RUNNING))
    assert early.verdict is Verdict.IGNORED


def test_a_merge_after_escalation_still_counts(world: Any) -> None:
    run = replace(world.run(RunStatus.IN_REVIEW), status=RunStatus.ESCALATED, deadline=None)
    run, _ = world.apply(run, world.merge_request("merge", "merged"))
    assert run.status is RunStatus.MERGED


def test_a_closed_merge_request_closes_the_run_and_a_later_merge_is_told(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.IN_REVIEW), world.merge_request("close", "closed"))
    assert run.status is RunStatus.CLOSED
    run, _ = world.apply(run, world.merge_request("reopen", "opened"))
    assert run.status is RunStatus.CLOSED
    run, _ = world.apply(run, world.merge_request("merge", "merged"))
    assert run.status is RunStatus.MERGED
    run, _ = world.apply(run, world.merge_request("close", "closed"))
    assert (run.status, run.merge_requests[0].state) == (RunStatus.MERGED, "merged")


def test_somebody_elses_merge_request_from_a_branch_of_the_same_name_means_nothing(world: Any) -> None:
    run = world.run(RunStatus.IN_REVIEW)
    decision = world.decide(world.merge_request("merge", "merged", iid=66), run)
    assert decision.verdict is Verdict.IGNORED
    assert world.decide(world.merge_request("merge", "merged"), None).verdict is Verdict.IGNORED


@pytest.mark.parametrize("status", [None, *RunStatus])
def test_every_status_has_an_answer_for_every_event(world: Any, status: RunStatus | None) -> None:
    events = world.every_kind()
    assert {type(e) for e in events} == set(get_args(Event))
    for event in events:
        run: Run | None = world.run(status) if status else None
        decision = world.decide(event, run)
        assert decision.reason.strip()
        assert decision.verdict in Verdict
        if decision.verdict is Verdict.IGNORED:
            assert (decision.effects, decision.status) == ((), None)
        if decision.status is not None and decision.new_run is None:
            assert run is not None
            assert decision.status in lifecycle.MOVES[run.status]
            assert (decision.deadline is None) == (decision.status not in lifecycle.WITH_DEADLINE)
