"""What commands do to a run, wherever they are said: one effect, one answer; nothing in a cell that is not allowed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import DiagnosisKind, Phase, PlanOutcome, ReportOutcome
from pipelines.language.policy import Budget, Concurrency, PlanApproval, TargetPipeline
from receiver import limits
from receiver.comments.command_line import Command
from receiver.workflow import lifecycle
from receiver.workflow.commands.command_table import RULES, CommandWord
from receiver.workflow.decide import decide
from receiver.workflow.effects import (
    AdmitTicket,
    AnswerComment,
    AnswerNote,
    AnswerTopic,
    CancelPipeline,
    PollGitLab,
    ReactToNote,
    ReadNote,
    RefreshTicket,
    RemindTicket,
    StartPipeline,
    StartTargetPipeline,
)
from receiver.workflow.end_codes import EndCode
from receiver.workflow.events.event import Event
from receiver.workflow.events.message_events import CommandTyped, CommentRead, NoteRead
from receiver.workflow.events.run_events import DeadlinePassed, EffectGaveUp
from receiver.workflow.events.ticket_events import LabelChecked
from receiver.workflow.messages import NoteMessage, TicketMessage
from receiver.workflow.person import Right
from receiver.workflow.run import Answered, Cause, Decision, Learned, Run, RunStatus, Verdict
from receiver.workflow.turns import Contender, RunQueue

S = RunStatus


def kinds(decision: Decision) -> list[str]:
    return [type(one).__name__ for one in decision.effects]


def effect(decision: Decision, kind: type[Any]) -> Any:
    [found] = [one for one in decision.effects if isinstance(one, kind)]
    return found


def says(world: Any, said: str, run: Run, **more: Any) -> Decision:
    """Decide on a note of a maintainer."""
    decision: Decision = world.decide(world.note_read(said, level=40, **more), run)
    return decision


def test_a_note_that_gives_a_command_is_seen_at_once_and_read_again(world: Any) -> None:
    decision = world.decide(world.note(), world.run(S.IN_REVIEW))
    about = {"project_id": 2, "iid": 1, "note": 6}
    assert decision.effects == (ReactToNote(**about), ReadNote(**about))


@pytest.mark.parametrize("change", [{"is_addressed": False}, {"action": "update"}])
def test_other_notes_and_edited_ones_are_only_noted(world: Any, change: dict[str, Any]) -> None:
    decision = world.decide(world.note(**change), world.run(S.IN_REVIEW))
    assert (decision.verdict, decision.effects) == (Verdict.NOTED, ())


def test_every_command_that_is_read_gets_one_answer_where_it_was_said(world: Any) -> None:
    for word in CommandWord:
        for status in S:
            for event, kind in (
                (world.note_read(word, level=50), AnswerNote),
                (world.read(word, author=world.person(*Right)), AnswerComment),
            ):
                decision = world.decide(event, world.run(status))
                assert [type(one) for one in decision.effects].count(kind) == 1, (word, status)
                assert decision.answered is not None
                assert decision.answered.text


def test_a_command_at_a_terminal_is_answered_by_the_reason(world: Any) -> None:
    typed = CommandTyped(
        run=world.run_id, issue_key=world.issue, command=Command(word="cancel"), actor_name="op", request="1"
    )
    decision = world.decide(typed, world.run(S.RUNNING))
    assert decision.status is S.CANCELLED
    assert not {"AnswerNote", "AnswerComment"} & set(kinds(decision))
    assert decision.answered == Answered(is_obeyed=True, text=decision.reason)
    approved = replace(typed, command=Command(word="approve"))
    assert world.decide(approved, world.run(S.AWAITING_APPROVAL)).status is S.STARTING


def test_a_command_counts_once_and_nobody_gives_them_without_end(world: Any) -> None:
    run, event = world.run(S.RUNNING), world.note_read("cancel")

    def decided(**learned: Any) -> Decision:
        known = Learned(**{"is_new": True, "was_confidential": False} | learned)
        return decide(event, run, learned=known, catalogue=world.catalogue, now=world.now, new_id=world.new_id)

    assert decided().status is S.CANCELLED
    for again in (decided(is_new=False), decided(said_before=limits.COMMANDS_OF_ONE)):
        assert (again.verdict, again.effects, again.status) == (Verdict.IGNORED, (), None)


def test_a_run_of_the_past_is_told_of_and_not_steered(world: Any) -> None:
    learned = Learned(is_new=True, was_confidential=False, is_newest=False)
    for word in CommandWord:
        decision = decide(
            world.note_read(word, level=50, head_sha="a" * 40),
            world.run(S.ESCALATED),
            learned=learned,
            catalogue=world.catalogue,
            now=world.now,
            new_id=world.new_id,
        )
        assert (decision.status, decision.attempt, decision.new_run) == (None, None, None)


NOTE = NoteMessage(project_id=2, iid=1, note=6)


def denied(world: Any, why: str, word: str) -> Event:
    """Return a command from somebody who may not give it, or who can't be checked."""
    unknown = world.person(*Right, unknown_because="Jira answered 403.")
    events: dict[str, Event] = {
        "nobody": world.note_read(word, level=0),
        "guest": world.note_read(word, level=10),
        "gitlab reporter": world.note_read(word, level=20),
        "403": world.note_read(word, level=50, unknown_because="GitLab answered 403."),
        "edited, quoted, a fork, blocked, a bot": NoteRead(message=NOTE, ignored="It counts for nothing."),
        "closed": world.note_read(word, level=50, is_open=False),
        "user of Jira": world.read(word, author=world.person()),
        "403 of Jira": world.read(word, author=unknown),
        "a comment that counts for nothing": CommentRead(comment="9", ignored="It was edited."),
        "429 or 500 for long": EffectGaveUp(effect="ReadNote", reason="GitLab answered 500.", message=NOTE),
        "429 or 500 of Jira for long": EffectGaveUp(
            effect="ReadComment", reason="Jira answered 500.", message=TicketMessage(comment="9")
        ),
    }
    return events[why]


WHYS = (
    *("nobody", "guest", "gitlab reporter", "403", "edited, quoted, a fork, blocked, a bot", "closed"),
    *("user of Jira", "403 of Jira", "a comment that counts for nothing"),
    *("429 or 500 for long", "429 or 500 of Jira for long"),
)
HARMLESS = {CommandWord.STATUS, CommandWord.COST, CommandWord.EXPLAIN, CommandWord.HELP}


@pytest.mark.parametrize("why", WHYS)
@pytest.mark.parametrize("word", sorted(set(CommandWord) - HARMLESS))
def test_no_cell_that_is_not_allowed_has_an_effect_besides_the_answer(world: Any, why: str, word: CommandWord) -> None:
    for status in S:
        decision = world.decide(denied(world, why, word), world.run(status))
        assert (decision.status, decision.attempt, decision.new_run, decision.extra_usd) == (None, None, None, None)
        assert set(kinds(decision)) <= {"AnswerNote", "AnswerComment"}, status
        assert len(decision.effects) <= 1


def test_who_is_denied_is_told_the_reason(world: Any) -> None:
    refused = world.decide(denied(world, "403", "cancel"), world.run(S.RUNNING))
    assert "GitLab answered 403." in effect(refused, AnswerNote).text
    given_up = world.decide(denied(world, "429 or 500 for long", "cancel"), world.run(S.RUNNING))
    assert "GitLab answered 500." in effect(given_up, AnswerNote).text
    closed = world.decide(denied(world, "closed", "cancel"), world.run(S.RUNNING))
    assert "not open any more" in effect(closed, AnswerNote).text


@pytest.mark.parametrize("word", ["cancel", "escalate"])
@pytest.mark.parametrize("status", sorted(lifecycle.ACTIVE))
def test_a_run_is_stopped_from_whatever_it_is_at(world: Any, status: RunStatus, word: str) -> None:
    run, decision = world.apply(world.run(status), world.note_read(word))
    assert run.status is (S.CANCELLED if word == "cancel" else S.ESCALATED)
    assert (run.deadline is None) == (word == "cancel")
    assert decision.end is not None
    assert decision.end.code is (EndCode.CANCELLED if word == "cancel" else EndCode.HANDED_OVER)
    has_pipeline = bool(world.run(status).pipelines)
    assert ("CancelPipeline" in kinds(decision)) == has_pipeline
    assert "Mara" in decision.reason
    late = world.decide(world.started(pipeline=555), run)
    assert effect(late, CancelPipeline).pipeline == 555


def test_a_stopped_run_says_why_and_that_its_merge_request_stays(world: Any) -> None:
    decision = says(world, "escalate the migration needs a person -- ask Dana", world.run(S.IN_REVIEW))
    assert "Mara handed the bug fix to people: the migration needs a person ask Dana." in decision.reason
    assert "open merge requests stay" in decision.reason
    merged = world.decide(world.merge_request("merge", "merged"), replace(world.run(S.IN_REVIEW), status=S.CANCELLED))
    assert merged.status is S.MERGED


def held(world: Any, status: RunStatus) -> tuple[Run, Decision]:
    paused: tuple[Run, Decision] = world.apply(world.run(status), world.note_read("pause"))
    return paused


@pytest.mark.parametrize("status", [S.STARTING, S.RUNNING])
def test_a_run_at_work_is_paused_without_a_pipeline_and_goes_on_with_what_holds(world: Any, status: RunStatus) -> None:
    run = world.run(status)
    if status is S.RUNNING:
        run, _ = world.apply(run, world.planned())
        run, _ = world.apply(run, world.accepted(Phase.REPRODUCTION))
    run, decision = world.apply(run, world.note_read("pause"))
    assert (run.status, run.paused_from) == (S.PAUSED, status)
    assert ("CancelPipeline" in kinds(decision)) == (status is S.RUNNING)
    assert run.deadline == world.now + limits.PAUSED_REMINDER
    late = world.decide(world.started(), run)
    assert (late.status, "CancelPipeline" in kinds(late)) == (None, True)
    run, decision = world.apply(run, world.note_read("resume", note=7))
    assert (run.status, run.iteration, run.paused_from) == (S.STARTING, 2, None)
    assert decision.attempt is not None
    assert decision.attempt.cause is Cause.RESUMED
    assert decision.attempt.keeps_plan == (status is S.RUNNING)
    assert StartPipeline(iteration=2) in decision.effects


def test_a_run_in_review_that_was_paused_is_in_review_again(world: Any) -> None:
    run, decision = held(world, S.IN_REVIEW)
    assert "CancelPipeline" not in kinds(decision) or run.parent is not None
    run, decision = world.apply(run, world.note_read("resume", note=7))
    assert (run.status, run.iteration) == (S.IN_REVIEW, 1)
    assert PollGitLab(iteration=1) in decision.effects
    assert decision.attempt is None


def test_a_run_that_waited_for_its_turn_begins_the_attempt_that_it_had(world: Any) -> None:
    run, _ = held(world, S.QUEUED)
    run, decision = world.apply(run, world.note_read("resume", note=7))
    assert (run.status, run.iteration, decision.attempt) == (S.STARTING, 1, None)
    assert StartPipeline(iteration=1) in decision.effects


def test_a_resumed_run_takes_its_turn_like_others(world: Any) -> None:
    own = Contender(run=world.run_id, project="PL", person="mara", since=world.now)
    other = Contender(run=world.new_id, project="PL", person="dana", since=world.now)
    full = RunQueue(limits=Concurrency(all=1), working=(other,), own=own)
    for status, iteration in ((S.RUNNING, 2), (S.QUEUED, 1)):
        run, _ = held(world, status)
        decision = decide(
            world.note_read("resume", note=7),
            run,
            learned=Learned(is_new=True, was_confidential=False),
            catalogue=world.catalogue,
            now=world.now,
            new_id=world.new_id,
            queue=full,
        )
        assert decision.status is S.QUEUED
        assert "StartPipeline" not in kinds(decision)
        assert (decision.attempt is not None) == (iteration == 2)


def test_while_a_run_is_paused_nothing_begins(world: Any) -> None:
    run, _ = held(world, S.RUNNING)
    for event in world.every_kind():
        if isinstance(event, NoteRead | CommentRead | CommandTyped | LabelChecked):
            continue
        decision = world.decide(event, run)
        assert not {"StartPipeline", "OpenMergeRequest"} & set(kinds(decision)), type(event)
        assert decision.attempt is None


def test_people_are_reminded_of_a_paused_run_once_and_then_get_it(world: Any) -> None:
    run, _ = held(world, S.RUNNING)
    overdue: Event = DeadlinePassed(status=S.PAUSED)
    assert world.decide(overdue, run, after=timedelta(days=6)).verdict is Verdict.IGNORED
    run, decision = world.apply(run, overdue, after=timedelta(days=7))
    assert (run.status, run.deadline) == (S.PAUSED, world.now + limits.PAUSED)
    assert "/bug-fix resume" in effect(decision, RemindTicket).text
    assert world.decide(overdue, run, after=timedelta(days=8)).verdict is Verdict.IGNORED
    run, decision = world.apply(run, overdue, after=timedelta(days=14))
    assert run.status is S.ESCALATED
    assert decision.end is not None
    assert decision.end.code is EndCode.NOT_RESUMED


@pytest.mark.parametrize("status", sorted(lifecycle.RETRIED | {S.RUNNING, S.IN_REVIEW}))
def test_another_attempt_is_made_of_what_holds_with_a_hint(world: Any, status: RunStatus) -> None:
    run, _ = world.apply(world.run(S.RUNNING), world.planned())
    run, _ = world.apply(run, world.accepted(Phase.REPRODUCTION))
    run, _ = world.apply(run, world.discarded(Phase.TESTING, ReportOutcome.REJECTED, "Two tests fail."))
    run, decision = world.apply(replace(run, status=status), world.note_read("retry -- use Decimal"))
    assert (run.status, run.iteration) == (S.STARTING, 2)
    attempt = decision.attempt
    assert attempt is not None
    assert attempt.cause is Cause.RETRIED
    assert [one.kind for one in attempt.diagnoses] == [DiagnosisKind.HINT, DiagnosisKind.REGRESSION]
    assert attempt.diagnoses[0].messages == ("use Decimal",)
    assert attempt.keeps_plan
    assert StartPipeline(iteration=2) in decision.effects
    assert ("CancelPipeline" in kinds(decision)) == (status is S.RUNNING)


@pytest.mark.parametrize(
    ("said", "reused"),
    [
        ("retry", {Phase.ANALYSIS}),
        ("retry implementation", {Phase.ANALYSIS}),
        ("retry contacts implementation", {Phase.ANALYSIS}),
        ("retry Payk12/Contacts", {Phase.ANALYSIS}),
        ("retry analysis", set()),
        ("retry Analysis contacts -- look at the API", set()),
    ],
)
def test_an_attempt_begins_with_the_phase_and_repository_that_are_named(
    world: Any, said: str, reused: set[Phase]
) -> None:
    run, _ = world.apply(world.run(S.RUNNING), world.planned())
    run, decision = world.apply(replace(run, status=S.ESCALATED), world.note_read(said))
    assert decision.attempt is not None
    assert {one.phase for one in decision.attempt.reuses} == reused


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("retry testing", "An attempt begins with analysis, reproduction or implementation; `testing` follows"),
        ("retry implemenation", "Did you mean `implementation`?"),
        ("retry contact", "Did you mean `contacts`?"),
        ("retry legacy", "Repositories:"),
        ("retry analysis reproduction", "`reproduction` is neither"),
        ("retry a b c", "Write `/bug-fix retry [phase] [repository] [-- hint]` alone on its line"),
    ],
)
def test_what_is_no_phase_and_no_repository_is_answered_and_begins_nothing(world: Any, said: str, answer: str) -> None:
    decision = says(world, said, world.run(S.ESCALATED))
    assert (decision.status, decision.attempt) == (None, None)
    assert answer in effect(decision, AnswerNote).text


def test_what_was_never_read_or_was_restricted_is_not_tried_again(world: Any) -> None:
    for change in ({"iteration": 0}, {"is_withdrawn": True}):
        decision = says(world, "retry", replace(world.run(S.ESCALATED), **change))
        assert (decision.status, decision.attempt) == (None, None)
        assert "set the label again" in effect(decision, AnswerNote).text


def test_an_analysis_that_led_to_no_code_is_made_again(world: Any) -> None:
    run, _ = world.apply(world.run(S.RUNNING), world.planned(PlanOutcome.SECURITY_CONCERN))
    decision = says(world, "retry", replace(run, status=S.ESCALATED))
    assert decision.attempt is not None
    assert not decision.attempt.keeps_plan


def test_a_plan_that_nobody_approved_is_not_carried_out_by_trying_again(world: Any) -> None:
    world.policy(plan_approval=PlanApproval.ALWAYS)
    run, _ = world.apply(world.run(S.RUNNING), world.planned())
    decision = says(world, "retry", replace(run, status=S.CANCELLED))
    assert decision.attempt is not None
    assert not decision.attempt.keeps_plan


def test_a_plan_that_nobody_approved_is_not_carried_out_by_resuming(world: Any) -> None:
    world.policy(plan_approval=PlanApproval.ALWAYS)
    run, _ = world.apply(world.run(S.RUNNING), world.planned())
    run, _ = world.apply(run, world.note_read("pause"))
    decision = says(world, "resume", run, note=7)
    assert decision.attempt is not None
    assert not decision.attempt.keeps_plan


def test_another_attempt_is_in_review_when_all_of_its_merge_requests_have_it(world: Any) -> None:
    other = replace(world.opened(), repository="payk12/other", project_id=9, iteration=1)
    both = (world.repository, other.repository)
    run = replace(world.run(S.OPENING), repositories=both)
    for event in (replace(world.opened(), iteration=1), other):
        run, _ = world.apply(run, event)
    assert run.status is S.IN_REVIEW
    run = replace(run, status=S.OPENING, iteration=2)
    run, _ = world.apply(run, replace(world.opened(), iteration=2, head_sha="b" * 40))
    assert run.status is S.OPENING
    run, _ = world.apply(run, replace(other, iteration=2, head_sha="b" * 40))
    assert run.status is S.IN_REVIEW


def test_a_reviewers_wish_makes_the_fix_anew(world: Any) -> None:
    run = world.run(S.IN_REVIEW)
    assert "Say what is to be different" in effect(says(world, "revise", run), AnswerNote).text
    run, decision = world.apply(run, world.note_read("revise -- one query is enough"))
    assert run.status is S.STARTING
    assert decision.attempt is not None
    assert decision.attempt.cause is Cause.REVISED
    [wish] = decision.attempt.diagnoses
    assert (wish.kind, wish.messages, wish.repository) == (
        DiagnosisKind.HINT,
        ("one query is enough",),
        world.repository,
    )


def test_a_merge_while_another_attempt_is_at_work_ends_the_run(world: Any) -> None:
    run, _ = world.apply(world.run(S.IN_REVIEW), world.note_read("retry"))
    run, _ = world.apply(run, world.started(pipeline=200, iteration=2))
    assert run.status is S.RUNNING
    run, decision = world.apply(run, world.merge_request("merge", "merged"))
    assert run.status is S.MERGED
    assert effect(decision, CancelPipeline).pipeline == 200


@pytest.mark.parametrize(("said", "extra"), [("+5", "5"), ("5", "5"), ("+ 2.50", "2.50"), ("$3", "3"), ("+12", "12")])
def test_a_budget_is_raised_up_to_what_policy_allows(world: Any, said: str, extra: str) -> None:
    run = world.run(S.ESCALATED)
    decision = says(world, f"budget {said}", run)
    assert decision.extra_usd == Decimal(extra)
    assert f"to ${Decimal(6) + Decimal(extra):.2f}" in decision.reason


@pytest.mark.parametrize("said", ["", "-5", "a lot", "+0", "+1e3", "+5.005", "12.01"])
def test_what_is_no_amount_or_too_much_raises_nothing(world: Any, said: str) -> None:
    decision = says(world, f"budget {said}", world.run(S.RUNNING))
    assert decision.extra_usd is None
    assert "AnswerNote" in kinds(decision)


def test_the_bound_of_a_budget_counts_what_was_raised_before(world: Any) -> None:
    world.policy(budget_usd=Budget(run=Decimal(6), most=Decimal(10)))
    run = replace(world.run(S.RUNNING), extra_usd=Decimal(3))
    assert says(world, "budget +1", run).extra_usd == Decimal(4)
    refused = says(world, "budget +2", run)
    assert refused.extra_usd is None
    assert "$10.00 at most" in effect(refused, AnswerNote).text


def test_the_own_pipeline_is_started_for_the_commit_that_was_seen(world: Any) -> None:
    run = world.run(S.IN_REVIEW)
    decision = says(world, "ci", run, head_sha="a" * 40)
    assert effect(decision, StartTargetPipeline) == StartTargetPipeline(
        iteration=1, repository=world.repository, head_sha="a" * 40, approved_by=3, is_asked=True
    )
    unseen = says(world, "ci", run)
    assert "Another commit was pushed" in effect(unseen, AnswerNote).text
    assert "StartTargetPipeline" not in kinds(unseen)
    world.policy(target_pipeline=TargetPipeline.RUN)
    assert "not held back" in effect(says(world, "ci", run, head_sha="a" * 40), AnswerNote).text


def test_a_rejected_plan_is_made_anew_with_the_reason(world: Any) -> None:
    run = world.run(S.AWAITING_APPROVAL)
    decision = world.decide(world.read("reject plan it deletes rows -- keep them"), run)
    again = effect(decision, RefreshTicket)
    assert (again.iteration, again.actor, again.hint) == (2, None, "it deletes rows keep them")
    run, decision = world.apply(run, replace(world.refreshed(iteration=2), hint=again.hint))
    assert decision.attempt is not None
    assert [one.kind for one in decision.attempt.diagnoses] == [DiagnosisKind.PLAN_NOT_APPROVED, DiagnosisKind.HINT]


@pytest.mark.parametrize("status", sorted(lifecycle.FINAL))
def test_a_run_is_begun_by_a_command_as_by_the_label(world: Any, status: RunStatus) -> None:
    decision = world.decide(world.read("start"), world.run(status))
    assert (decision.status, decision.new_run) == (S.ADMITTING, world.new_id)
    assert effect(decision, AdmitTicket).actor == "5b10ac"
    assert effect(decision, AnswerComment).text.startswith("Mara asked for a fix of PL-479")


@pytest.mark.parametrize("status", sorted(lifecycle.ACTIVE))
def test_a_run_that_is_at_work_is_not_begun_again(world: Any, status: RunStatus) -> None:
    decision = world.decide(world.read("start"), world.run(status))
    assert (decision.status, decision.new_run) == (None, None)
    assert "at work already" in effect(decision, AnswerComment).text


@pytest.mark.parametrize("topic", [one for one in AnswerTopic if one is not AnswerTopic.SENTENCE])
def test_questions_change_nothing_and_are_answered_from_the_store(world: Any, topic: AnswerTopic) -> None:
    for status in RULES[CommandWord.STATUS].when:
        decision = world.decide(world.note_read(topic, level=10), world.run(status))
        assert decision.status is None
        assert [type(one) for one in decision.effects] == [AnswerNote]
        assert effect(decision, AnswerNote).topic is topic
