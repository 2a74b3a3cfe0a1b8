"""The label that pauses holds a run whatever it is at; a label that means nothing is never met with silence."""

from typing import Any

import pytest
from msgspec.structs import replace

from receiver.workflow import lifecycle
from receiver.workflow.commands.command_table import HELD
from receiver.workflow.effects import CheckLabel, CommentRefusal, MergeWhenReady, RefreshTicket, StartPipeline
from receiver.workflow.events.run_events import EffectGaveUp
from receiver.workflow.events.ticket_events import LabelChange
from receiver.workflow.person import AccountId, Right
from receiver.workflow.run import Decision, Run, RunStatus

S = RunStatus
GOES_ON = sorted(lifecycle.ACTIVE | lifecycle.RETRIED)


def kinds(decision: Decision) -> list[str]:
    return [type(one).__name__ for one in decision.effects]


def told(decision: Decision) -> CommentRefusal:
    [found] = [one for one in decision.effects if isinstance(one, CommentRefusal)]
    return found


def held(world: Any, run: Run) -> Run:
    """Let somebody who may pause set the label that pauses."""
    assert CheckLabel(change=LabelChange.HELD, actor=AccountId("5b10ac"), actor_name="Mara") in (
        world.decide(world.label(LabelChange.HELD), run).effects
    )
    after: Run = world.apply(run, world.label_checked(LabelChange.HELD, Right.START))[0]
    return after


@pytest.mark.parametrize("status", GOES_ON)
def test_the_label_that_pauses_holds_a_run_whatever_it_is_at(world: Any, status: RunStatus) -> None:
    run = held(world, world.run(status))
    assert run.is_held
    assert run.status is (S.PAUSED if status in HELD else status)
    released, decision = world.apply(run, world.label_checked(LabelChange.RELEASED, Right.START))
    assert not released.is_held
    assert (released.status is not run.status) == (run.status is S.PAUSED)
    assert "CommentRefusal" not in kinds(decision)


@pytest.mark.parametrize("status", GOES_ON)
def test_who_may_not_pause_holds_nothing_and_is_told(world: Any, status: RunStatus) -> None:
    run, decision = world.apply(world.run(status), world.label_checked(LabelChange.HELD, Right.REPORTER))
    assert (run.is_held, decision.status) == (False, None)
    assert told(decision).author == AccountId("5b10ac")


def test_an_approval_of_a_plan_that_is_held_is_carried_out_once_the_label_is_off(world: Any) -> None:
    run = held(world, world.run(S.AWAITING_APPROVAL))
    run, decision = world.apply(run, world.read("approve"))
    assert (run.status, run.iteration, run.approved_by) == (S.PAUSED, 2, AccountId("5b10ac"))
    assert "StartPipeline" not in kinds(decision)
    assert "label that pauses" in decision.answered.text
    run, decision = world.apply(run, world.label_checked(LabelChange.RELEASED, Right.START))
    assert (run.status, run.iteration) == (S.STARTING, 2)
    assert StartPipeline(iteration=2) in decision.effects


@pytest.mark.parametrize("status", sorted(lifecycle.RETRIED))
def test_another_attempt_of_a_run_that_is_held_waits_for_the_label(world: Any, status: RunStatus) -> None:
    run = held(world, world.run(status))
    run, decision = world.apply(run, world.read("retry"))
    assert (run.status, run.iteration) == (S.PAUSED, 2)
    assert "StartPipeline" not in kinds(decision)


def test_a_merge_request_that_is_opened_while_the_run_is_held_is_not_reviewed_by_us_nor_merged(world: Any) -> None:
    run = held(world, world.run(S.OPENING))
    run, _ = world.apply(run, world.opened())
    assert (run.status, run.paused_from) == (S.PAUSED, S.OPENING)
    approved = world.decide(world.merge_request("approved", "opened"), run)
    assert not [one for one in approved.effects if isinstance(one, MergeWhenReady)]
    run, _ = world.apply(run, world.label_checked(LabelChange.RELEASED, Right.START))
    assert run.status is S.IN_REVIEW


def test_resume_is_the_latest_word_and_goes_on_though_the_label_is_set(world: Any) -> None:
    run = held(world, world.run(S.RUNNING))
    run, _ = world.apply(run, world.read("resume"))
    assert (run.status, run.is_held) == (S.STARTING, False)


def test_a_ticket_that_is_read_without_the_label_holds_the_run_no_longer(world: Any) -> None:
    run = held(world, world.run(S.NEEDS_INFORMATION))
    run, _ = world.apply(run, world.refreshed(iteration=2))
    assert (run.status, run.is_held) == (S.STARTING, False)


def test_an_answer_is_read_though_the_run_is_held_and_begins_nothing(world: Any) -> None:
    run = held(world, world.run(S.NEEDS_INFORMATION))
    answered = world.decide(world.read(None, author=world.person(Right.REPORTER)), run)
    assert [one for one in answered.effects if isinstance(one, RefreshTicket)]
    run, decision = world.apply(run, world.refreshed(iteration=2, labels=("bug-fix", "bug-fix-hold")))
    assert (run.status, run.is_held) == (S.PAUSED, True)
    assert "StartPipeline" not in kinds(decision)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        *((LabelChange.HELD, status) for status in (S.MERGED, S.CLOSED, S.DECLINED)),
        (LabelChange.REMOVED, S.OPENING),
    ],
)
def test_who_changes_a_label_that_means_nothing_is_told(world: Any, change: LabelChange, status: RunStatus) -> None:
    refusal = told(world.decide(world.label(change), world.run(status)))
    assert (refusal.author, refusal.heading) == (AccountId("5b10ac"), "the label changes nothing")
    assert status.replace("_", " ") in refusal.text


def test_who_takes_the_start_label_off_while_an_attempt_mends_an_open_merge_request_is_told(world: Any) -> None:
    run = replace(world.run(S.IN_REVIEW), status=S.RUNNING)
    assert "/bug-fix cancel" in told(world.decide(world.label(LabelChange.REMOVED), run)).text


@pytest.mark.parametrize("status", sorted(lifecycle.ACTIVE))
def test_who_changed_a_label_that_could_not_be_looked_up_is_told(world: Any, status: RunStatus) -> None:
    gave_up = EffectGaveUp(effect="CheckLabel", reason="Jira answered 503.", author=AccountId("5b10ac"))
    decision = world.decide(gave_up, world.run(status))
    assert decision.status is None
    assert told(decision).author == AccountId("5b10ac")
    assert "Jira answered 503." in told(decision).text


@pytest.mark.parametrize("status", sorted(lifecycle.ACTIVE - {S.PAUSED}))
def test_who_takes_off_a_label_that_held_nothing_is_told_nothing(world: Any, status: RunStatus) -> None:
    assert world.decide(world.label(LabelChange.RELEASED), world.run(status)).effects == ()


@pytest.mark.parametrize(("change", "status"), [(LabelChange.REMOVED, S.OPENING), (LabelChange.HELD, S.MERGED)])
def test_who_is_too_late_by_the_time_a_label_is_looked_at_is_told(
    world: Any, change: LabelChange, status: RunStatus
) -> None:
    assert told(world.decide(world.label_checked(change, Right.START), world.run(status))).author
