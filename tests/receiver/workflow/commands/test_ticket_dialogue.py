"""A run waits for people: what its plan says, what they answer, who makes it go on."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import Complexity, DiagnosisKind, Phase, PlanOutcome, ReportOutcome
from pipelines.language.policy import PlanApproval, SecurityFixes
from receiver import limits
from receiver.workflow.audience import Audience
from receiver.workflow.effects import (
    AnswerComment,
    AskReporter,
    CommentRefusal,
    PostPlan,
    ReadComment,
    RefreshTicket,
    SettleReports,
    StartPipeline,
    UpdateTicketNote,
)
from receiver.workflow.events.message_events import IssueCommented
from receiver.workflow.events.run_events import EffectGaveUp
from receiver.workflow.events.ticket_events import TicketRefused
from receiver.workflow.person import AccountId, Right
from receiver.workflow.run import Cause, RunStatus, Verdict
from receiver.workflow.stages import plans

ENDS = {
    PlanOutcome.NEEDS_INFORMATION: RunStatus.NEEDS_INFORMATION,
    PlanOutcome.NOT_A_BUG: RunStatus.DECLINED,
    PlanOutcome.DUPLICATE: RunStatus.DECLINED,
    PlanOutcome.TOO_LARGE: RunStatus.DECLINED,
    PlanOutcome.FEATURE_REQUEST: RunStatus.DECLINED,
    PlanOutcome.INFRASTRUCTURE: RunStatus.DECLINED,
    PlanOutcome.SECURITY_CONCERN: RunStatus.ESCALATED,
}


def test_every_outcome_but_fix_has_an_end_and_a_next_step_for_people() -> None:
    assert set(plans.OUTCOMES) == set(PlanOutcome) - {PlanOutcome.FIX}
    assert {outcome: one.status for outcome, one in plans.OUTCOMES.items()} == ENDS
    assert all(one.next_step.endswith(".") for one in plans.OUTCOMES.values())


def test_what_follows_from_a_plan_is_told_with_the_plan_and_not_with_every_report(world: Any) -> None:
    run = world.run(RunStatus.RUNNING, repositories=())
    run, planned = world.apply(run, world.planned(PlanOutcome.NEEDS_INFORMATION, reason="Which field was it?"))
    assert planned.reason.endswith("The run goes on when its pipeline has ended.")
    accepted = world.accepted(Phase.IMPLEMENTATION, reason="No fix: needs information.")
    report = replace(accepted.report, phase=Phase.GENERATE, repository=None, result=None)
    run, generated = world.apply(run, replace(accepted, report=report))
    assert generated.reason == "Generate: No fix: needs information."
    assert generated.effects == (UpdateTicketNote(),)


@pytest.mark.parametrize("outcome", sorted(ENDS))
def test_a_plan_that_is_no_fix_ends_the_iteration_once_its_pipeline_ended(world: Any, outcome: PlanOutcome) -> None:
    run = world.run(RunStatus.RUNNING, repositories=())
    run, decision = world.apply(run, world.planned(outcome, reason="It is by design", duplicate_of="PL-400"))
    assert (run.status, decision.effects) == (RunStatus.RUNNING, (UpdateTicketNote(),))
    run, _ = world.apply(run, world.settled())
    assert run.status is RunStatus.RUNNING
    run, decision = world.apply(run, world.pipeline("success"))
    assert (run.status, decision.effects) == (RunStatus.RUNNING, (SettleReports(iteration=1),))
    run, decision = world.apply(run, world.settled())
    assert run.status is ENDS[outcome]
    assert "It is by design." in decision.reason
    assert UpdateTicketNote() in decision.effects
    waits = outcome is PlanOutcome.NEEDS_INFORMATION
    assert (plans.OUTCOMES[outcome].next_step in decision.reason) == (not waits)
    assert (AskReporter(iteration=1) in decision.effects) == waits
    assert ("PL-400" in decision.reason) == (outcome is PlanOutcome.DUPLICATE)


def test_a_command_that_was_not_read_as_one_is_answered_and_never_met_with_silence(world: Any) -> None:
    run = world.run(RunStatus.AWAITING_APPROVAL)
    decision = world.decide(world.read(author=world.person(Right.START), command=None, seems_meant=True), run)
    (answer,) = decision.effects
    assert isinstance(answer, AnswerComment)
    assert answer.text.endswith("Write `/bug-fix approve` alone on a line.")
    for quiet in (world.run(RunStatus.RUNNING), world.run(RunStatus.NEEDS_INFORMATION)):
        done = world.decide(world.read(author=world.person(), command=None, seems_meant=True), quiet)
        assert done.verdict is Verdict.NOTED


def test_the_answer_of_the_reporter_starts_the_analysis_anew_with_a_new_iteration(world: Any) -> None:
    run, _ = world.analysed(world.run(RunStatus.RUNNING), PlanOutcome.NEEDS_INFORMATION)
    comment = IssueCommented(issue_key=world.issue, comment="9", actor=AccountId("dana"))
    assert world.decide(comment, run).effects == (ReadComment(comment="9"),)
    run, decision = world.apply(run, world.read(author=world.person(Right.REPORTER, name="Dana")))
    assert decision.effects == (RefreshTicket(iteration=2, actor=None, because="Dana answered on the ticket."),)
    assert run.status is RunStatus.NEEDS_INFORMATION
    run, decision = world.apply(run, world.refreshed(iteration=2))
    assert (run.status, run.iteration) == (RunStatus.STARTING, 2)
    assert decision.effects == (StartPipeline(iteration=2), UpdateTicketNote())
    attempt = decision.attempt
    assert attempt is not None
    assert [one.kind for one in attempt.diagnoses] == [DiagnosisKind.QUESTION]
    assert (attempt.cause, attempt.approved_by, attempt.reuses) == (Cause.ANSWERED, None, ())
    run, again = world.apply(run, world.refreshed(iteration=2))
    assert again.verdict is Verdict.IGNORED


def test_a_command_on_a_ticket_without_a_run_gets_one_clear_answer_and_starts_nothing(world: Any) -> None:
    comment = IssueCommented(issue_key=world.issue, comment="9", actor=AccountId("dana"), is_addressed=True)
    decision = world.decide(comment, None)
    assert (decision.verdict, decision.status, decision.new_run) == (Verdict.ACTED, RunStatus.REFUSED, world.new_id)
    assert decision.effects == (ReadComment(comment="9"),)
    for rights in ((), *((right,) for right in Right)):
        for word in ("approve", "reboot", ""):
            read = world.decide(world.read(word, author=world.person(*rights)), world.run(RunStatus.REFUSED))
            (answer,) = read.effects
            assert isinstance(answer, AnswerComment)
            assert "No bug fix was started for this ticket" in answer.text
            assert "`bug-fix`" in answer.text
            assert (answer.author, answer.may_start) == ("5b10ac", Right.START in rights)


@pytest.mark.parametrize("changes", [{"is_addressed": False}, {"issue_key": None, "issue_id": "10001"}])
def test_what_commands_nothing_or_names_no_ticket_begins_nothing(world: Any, changes: dict[str, Any]) -> None:
    comment = IssueCommented(issue_key=world.issue, comment="9", actor=AccountId("dana"), is_addressed=True)
    decision = world.decide(replace(comment, **changes), None)
    assert (decision.verdict, decision.effects, decision.new_run) == (Verdict.IGNORED, (), None)


@pytest.mark.parametrize(
    ("because", "says"), [("", "Only the reporter and those who may start runs"), ("Jira answered 403.", "403")]
)
def test_other_peoples_comments_are_noted_and_answer_nothing(world: Any, because: str, says: str) -> None:
    run, _ = world.analysed(world.run(RunStatus.RUNNING), PlanOutcome.NEEDS_INFORMATION)
    stranger = world.person(Right.MAINTAIN, unknown_because=because)
    decision = world.decide(world.read(author=stranger), run)
    assert (decision.verdict, decision.effects) == (Verdict.NOTED, ())
    assert says in decision.reason


@pytest.mark.parametrize("status", sorted(set(RunStatus) - {RunStatus.NEEDS_INFORMATION}))
def test_a_plain_comment_is_read_only_while_a_question_is_open(world: Any, status: RunStatus) -> None:
    comment = IssueCommented(issue_key=world.issue, comment="9", actor=AccountId("dana"))
    assert world.decide(comment, world.run(status)).effects == ()
    assert world.decide(world.read(author=world.person(Right.REPORTER)), world.run(status)).effects == ()
    asked = replace(comment, is_addressed=True)
    assert world.decide(asked, world.run(status)).effects == (ReadComment(comment="9"),)


@pytest.mark.parametrize("status", [RunStatus.NEEDS_INFORMATION, RunStatus.AWAITING_APPROVAL])
def test_the_label_set_again_makes_a_run_that_waits_go_on(world: Any, status: RunStatus) -> None:
    run, decision = world.apply(world.run(status), world.labelled())
    assert decision.effects == (
        RefreshTicket(iteration=2, actor=AccountId("5b10ac"), because="Mara set the label again."),
    )
    refused = world.decide(TicketRefused(reason="Only some may.", actor=AccountId("tomas")), run)
    told = CommentRefusal(issue_key=world.issue, text="Only some may.", author=AccountId("tomas"))
    assert refused.effects == (told,)
    run, decision = world.apply(run, world.refreshed(iteration=2))
    assert decision.attempt is not None
    assert (run.status, run.iteration, decision.attempt.approved_by) == (RunStatus.STARTING, 2, None)


def test_a_label_set_again_and_again_needs_somebody_who_may_start_runs_in_the_end(world: Any) -> None:
    world.policy(plan_approval=PlanApproval.ALWAYS)
    run, asked = world.run(RunStatus.RUNNING), []
    for iteration in range(1, limits.PLANS_FOR_REPORTER + 2):
        run, _ = world.analysed(run)
        assert run.status is RunStatus.AWAITING_APPROVAL
        run, decision = world.apply(run, world.labelled())
        (effect,) = decision.effects
        asked.append(effect.is_for_starters)
        run, _ = world.apply(run, world.refreshed(iteration=iteration + 1))
        run, _ = world.apply(run, world.started(pipeline=200 + iteration, iteration=iteration + 1))
    assert asked == [False] * (limits.PLANS_FOR_REPORTER - 1) + [True, True]


def test_who_is_asked_four_times_and_still_has_a_question_is_helped_by_a_person(world: Any) -> None:
    run = world.run(RunStatus.RUNNING)
    for iteration in range(1, limits.QUESTIONS):
        run, _ = world.analysed(run, PlanOutcome.NEEDS_INFORMATION)
        assert run.status is RunStatus.NEEDS_INFORMATION
        run, _ = world.apply(run, world.refreshed(iteration=iteration + 1))
        run, _ = world.apply(run, world.started(pipeline=200 + iteration, iteration=iteration + 1))
    run, decision = world.analysed(run, PlanOutcome.NEEDS_INFORMATION)
    assert run.status is RunStatus.ESCALATED
    assert "asked 4 times" in decision.reason


APPROVALS = [
    (PlanApproval.NEVER, Complexity.COMPLEX, False),
    (PlanApproval.COMPLEX, Complexity.SIMPLE, False),
    (PlanApproval.COMPLEX, Complexity.MODERATE, False),
    (PlanApproval.COMPLEX, Complexity.COMPLEX, True),
    (PlanApproval.ALWAYS, Complexity.SIMPLE, True),
]


@pytest.mark.parametrize(("policy", "complexity", "waits"), APPROVALS)
def test_a_plan_waits_as_policy_says(world: Any, policy: PlanApproval, complexity: Complexity, waits: bool) -> None:  # noqa: FBT001  # a table's column
    world.policy(plan_approval=policy)
    run, decision = world.analysed(world.run(RunStatus.RUNNING), complexity=complexity)
    assert (run.status is RunStatus.AWAITING_APPROVAL) == waits
    assert (PostPlan(iteration=1) in decision.effects) == waits


def test_nothing_is_opened_for_a_plan_that_waits_whatever_is_reported(world: Any) -> None:
    world.policy(plan_approval=PlanApproval.ALWAYS)
    run, _ = world.apply(world.run(RunStatus.RUNNING), world.planned())
    for phase in (Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.MERGE_REQUEST):
        run, decision = world.apply(run, world.accepted(phase))
        assert (run.status, decision.effects) == (RunStatus.RUNNING, (UpdateTicketNote(),))


def test_an_approved_plan_is_carried_out_in_a_new_iteration(world: Any) -> None:
    world.policy(plan_approval=PlanApproval.ALWAYS)
    run, _ = world.analysed(world.run(RunStatus.RUNNING))
    run, decision = world.apply(run, world.read("approve"))
    assert (run.status, run.iteration) == (RunStatus.STARTING, 2)
    attempt = decision.attempt
    assert attempt is not None
    assert (attempt.cause, attempt.approved_by, attempt.diagnoses) == (Cause.APPROVED, AccountId("5b10ac"), ())
    *carried_out, answer = decision.effects
    assert carried_out == [StartPipeline(iteration=2), PostPlan(iteration=1), UpdateTicketNote()]
    assert isinstance(answer, AnswerComment)
    assert answer.text == "Mara approved the plan. Its pipeline is being created."
    assert "Mara approved the plan" in decision.reason
    run, _ = world.apply(run, world.started(pipeline=200, iteration=2))
    run, _ = world.apply(run, world.planned(iteration=2))
    for phase in (Phase.REPRODUCTION, Phase.TESTING, Phase.MERGE_REQUEST):
        run, _ = world.apply(run, world.accepted(phase, iteration=2))
    assert run.status is RunStatus.OPENING


@pytest.mark.parametrize("status", sorted(RunStatus))
@pytest.mark.parametrize("right", [None, *Right])
def test_no_other_cell_of_the_matrix_approves_anything(world: Any, status: RunStatus, right: Right | None) -> None:
    author = world.person(*(() if right is None else (right,)))
    decision = world.decide(world.read("approve", author=author), world.run(status))
    may = (right, status) == (Right.START, RunStatus.AWAITING_APPROVAL)
    assert (StartPipeline(iteration=world.run(status).iteration + 1) in decision.effects) == may
    if not may:
        [answer] = decision.effects
        assert isinstance(answer, AnswerComment)
        assert decision.status is None


@pytest.mark.parametrize("seen", [None, 1, 3], ids=["none", "an earlier one", "another one"])
def test_who_has_not_seen_the_plan_that_waits_can_not_approve_it(world: Any, seen: int | None) -> None:
    waits = replace(world.run(RunStatus.AWAITING_APPROVAL), iteration=2)
    decision = world.decide(world.read("approve", plan=seen), waits)
    assert decision.status is None
    [answer] = decision.effects
    assert isinstance(answer, AnswerComment)
    assert "The plan has changed since you wrote that" in answer.text
    assert world.decide(world.read("approve", plan=2), waits).status is RunStatus.STARTING


def test_who_could_not_be_checked_is_denied_with_the_reason(world: Any) -> None:
    event = world.read("approve", author=world.person(Right.START, unknown_because="Jira answered 403."))
    decision = world.decide(event, world.run(RunStatus.AWAITING_APPROVAL))
    assert decision.status is None
    assert "Jira answered 403." in decision.effects[0].text


def test_a_security_concern_is_handed_to_people_and_makes_the_run_confidential(world: Any) -> None:
    run, decision = world.analysed(world.run(RunStatus.RUNNING), PlanOutcome.SECURITY_CONCERN)
    assert (run.status, run.audience, run.branch) == (RunStatus.ESCALATED, Audience.WITHHELD, "bug-fix/PL-479")
    assert "restrict the ticket" in decision.reason


def test_a_security_concern_is_carried_out_where_policy_allows_it(world: Any) -> None:
    world.policy(security_fixes=SecurityFixes.ALLOW)
    run, _ = world.apply(world.run(RunStatus.RUNNING), world.planned(PlanOutcome.SECURITY_CONCERN))
    for phase in (Phase.REPRODUCTION, Phase.TESTING, Phase.MERGE_REQUEST):
        run, _ = world.apply(run, world.accepted(phase))
    assert (run.status, run.audience, run.branch) == (RunStatus.OPENING, Audience.WITHHELD, "bug-fix/PL-479")
    run, decision = world.apply(run, world.opened())
    assert run.status is RunStatus.IN_REVIEW
    assert "AttachEvidence" not in {type(effect).__name__ for effect in decision.effects}


def test_a_security_concern_that_names_no_repository_is_handed_over_whatever_policy_says(world: Any) -> None:
    world.policy(security_fixes=SecurityFixes.ALLOW)
    run, _ = world.analysed(world.run(RunStatus.RUNNING), PlanOutcome.SECURITY_CONCERN, repositories=[])
    assert run.status is RunStatus.ESCALATED


def test_a_ticket_with_a_security_level_has_a_branch_that_tells_nothing(world: Any) -> None:
    event = world.admitted()
    event = replace(event, ticket=replace(event.ticket, security_level="Internal"))
    run, _ = world.apply(world.run(RunStatus.ADMITTING), event)
    assert (run.audience, run.branch) == (Audience.WITHHELD, "bug-fix/PL-479")


def test_a_plan_that_was_not_reported_well_leads_nowhere(world: Any) -> None:
    event = world.planned(PlanOutcome.NOT_A_BUG)
    event = replace(event, report=replace(event.report, outcome=ReportOutcome.FAILED))
    run, _ = world.apply(world.run(RunStatus.RUNNING), event)
    assert plans.stop_for(run, world.catalogue.policy) is None


def test_iterations_that_ended_in_waiting_are_no_attempts_at_a_fix(world: Any) -> None:
    world.policy(plan_approval=PlanApproval.ALWAYS)
    run, _ = world.analysed(world.run(RunStatus.RUNNING), PlanOutcome.NEEDS_INFORMATION)
    run, _ = world.apply(run, world.refreshed(iteration=2))
    run, _ = world.apply(run, world.started(pipeline=200, iteration=2))
    run, _ = world.analysed(run)
    run, _ = world.apply(run, world.read("approve", plan=2))
    assert (run.status, run.iteration, run.fixes_tried) == (RunStatus.STARTING, 3, 1)


@pytest.mark.parametrize(
    ("effect", "status"),
    [
        ("RefreshTicket", RunStatus.NEEDS_INFORMATION),
        ("RefreshTicket", RunStatus.AWAITING_APPROVAL),
        ("AskReporter", RunStatus.NEEDS_INFORMATION),
        ("PostPlan", RunStatus.AWAITING_APPROVAL),
    ],
)
def test_a_run_does_not_wait_for_people_who_can_not_know_of_it(world: Any, effect: str, status: RunStatus) -> None:
    run, decision = world.apply(world.run(status), EffectGaveUp(effect=effect, reason="Jira answered 403."))
    assert run.status is RunStatus.ESCALATED
    assert "Jira answered 403. Put that right" in decision.reason


@pytest.mark.parametrize("effect", ["AskReporter", "PostPlan", "AnswerComment", "ReadComment", "PollTicket"])
def test_what_is_said_about_a_run_that_goes_on_may_fail(world: Any, effect: str) -> None:
    run, decision = world.apply(world.run(RunStatus.RUNNING), EffectGaveUp(effect=effect, reason="403"))
    assert (run.status, decision.verdict, decision.effects) == (RunStatus.RUNNING, Verdict.NOTED, ())
