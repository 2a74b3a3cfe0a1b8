"""A run that is handed over waits for people: told once, reminded once, closed then, and taken back by who goes on."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from receiver.workflow.commands import command_grammar
from receiver.workflow.effects import HandOver, RemindTicket
from receiver.workflow.end_codes import EndCode
from receiver.workflow.events.message_events import CommandTyped
from receiver.workflow.events.run_events import AttemptUnfunded, DeadlinePassed
from receiver.workflow.run import RunStatus

DAY = timedelta(days=1)
LATE = DeadlinePassed(status=RunStatus.ESCALATED)


def handed_over(world: Any) -> Any:
    """Return a run that people got, and the decision that gave it to them."""
    return world.apply(world.run(RunStatus.STARTING), AttemptUnfunded(iteration=1, reason="Nothing is left."))


def test_it_is_handed_over_and_a_reminder_is_due(world: Any) -> None:
    run, decision = handed_over(world)
    assert (run.status, decision.end.code) == (RunStatus.ESCALATED, EndCode.BUDGET)
    assert decision.effects.count(HandOver()) == 1
    assert decision.deadline == world.now + 3 * DAY


def test_people_are_reminded_once_and_then_it_closes(world: Any) -> None:
    run, _ = handed_over(world)
    assert world.decide(LATE, run, after=2 * DAY).status is None
    run, decision = world.apply(run, LATE, after=3 * DAY)
    (reminder,) = decision.effects
    assert isinstance(reminder, RemindTicket)
    assert (run.status, run.deadline) == (RunStatus.ESCALATED, world.now + 17 * DAY)
    assert world.decide(LATE, run, after=16 * DAY).effects == ()
    run, decision = world.apply(run, LATE, after=17 * DAY)
    assert (run.status, decision.end.code, decision.deadline) == (RunStatus.CLOSED, EndCode.NO_ANSWER, None)
    assert HandOver() in decision.effects


@pytest.mark.parametrize(
    ("remind_after", "close_after", "deadlines"),
    [(0, 0, []), (0, 5, [5]), (5, 0, [5, 36_505]), (90, 365, [90, 455])],
)
def test_policy_says_when_or_never(world: Any, remind_after: int, close_after: int, deadlines: list[int]) -> None:
    world.policy(remind_after=remind_after, close_after=close_after)
    run, decision = handed_over(world)
    found = []
    while decision.deadline is not None:
        found.append((decision.deadline - world.now).days)
        if found[-1] > 1_000:
            break
        run, decision = world.apply(run, LATE, after=timedelta(days=found[-1]))
    assert found == deadlines


def test_a_retry_with_a_hint_takes_it_back(world: Any) -> None:
    run, _ = handed_over(world)
    command = command_grammar.parse(" retry -- look at the store")
    typed = CommandTyped(run=run.id, issue_key=run.issue_key, command=command, actor_name="op", request="1")
    _, decision = world.apply(run, typed)
    assert decision.status is RunStatus.STARTING
    assert HandOver() in decision.effects


def test_a_merge_takes_it_back(world: Any) -> None:
    run = replace(world.run(RunStatus.IN_REVIEW), status=RunStatus.ESCALATED)
    decision = world.decide(world.merge_request("merge", "merged"), run)
    assert decision.status is RunStatus.MERGED
    assert HandOver() in decision.effects


def test_a_new_run_of_the_ticket_takes_it_back(world: Any) -> None:
    run, _ = handed_over(world)
    decision = world.decide(world.labelled(), run)
    assert decision.new_run is not None
    assert HandOver() in decision.effects


def test_no_other_end_is_handed_over(world: Any) -> None:
    assert (
        HandOver() not in world.decide(world.merge_request("close", "closed"), world.run(RunStatus.IN_REVIEW)).effects
    )
