"""A ticket that says nothing is asked once before a model reads it, and the answer starts the first attempt."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from pipelines.language.policy import Readiness
from receiver.workflow.effects import AskReporter, RefreshTicket, StartPipeline, TransitionIssue
from receiver.workflow.events.run_events import DeadlinePassed
from receiver.workflow.events.ticket_events import TicketAdmitted, TicketRefreshed
from receiver.workflow.run import Cause, RunStatus


def vague(world: Any, *labels: str) -> TicketAdmitted:
    told = world.admitted(summary="Contacts don't work")
    return replace(told, ticket=replace(told.ticket, description="Please fix it!", labels=labels))


def read_again(world: Any, *labels: str) -> TicketRefreshed:
    event = vague(world, *labels)
    return TicketRefreshed(
        iteration=1, ticket=event.ticket, base_shas=event.base_shas, because="Dana answered.", hint=""
    )


def test_nothing_is_started_and_the_reporter_is_asked(world: Any) -> None:
    run, decision = world.apply(world.run(RunStatus.ADMITTING), vague(world))
    assert (run.status, run.iteration, decision.attempt) == (RunStatus.NEEDS_INFORMATION, 0, None)
    assert AskReporter(iteration=0) in decision.effects
    assert not any(isinstance(one, StartPipeline | TransitionIssue) for one in decision.effects)
    assert decision.asked.startswith("What exactly happens")
    assert run.branch == "bug-fix/PL-479-contacts-don-t-work"


def test_the_answer_starts_the_first_attempt_whatever_it_says(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.ADMITTING), vague(world))
    run, decision = world.apply(run, read_again(world))
    assert (run.status, run.iteration, decision.attempt.cause) == (RunStatus.STARTING, 1, Cause.ADMITTED)
    assert StartPipeline(iteration=1) in decision.effects
    assert TransitionIssue(to_status="In Progress") in decision.effects
    assert decision.asked is None


def test_setting_the_label_again_reads_the_ticket_for_the_first_attempt(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.ADMITTING), vague(world))
    effects = world.decide(world.labelled(), run).effects
    assert [one.iteration for one in effects if isinstance(one, RefreshTicket)] == [1]


def test_an_answer_to_a_ticket_that_is_held_pauses_the_run(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.ADMITTING), vague(world))
    run, _ = world.apply(run, read_again(world, "bug-fix-hold"))
    assert (run.status, run.iteration) == (RunStatus.PAUSED, 1)


def test_a_ticket_that_is_held_is_asked_nothing(world: Any) -> None:
    run, decision = world.apply(world.run(RunStatus.ADMITTING), vague(world, "bug-fix-hold"))
    assert (run.status, decision.asked) == (RunStatus.PAUSED, None)


def test_an_answer_that_comes_too_late_starts_nothing(world: Any) -> None:
    run = world.run(RunStatus.CANCELLED, iteration=0)
    assert world.decide(read_again(world), run).status is None


def test_nobody_answers_and_it_is_declined(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.ADMITTING), vague(world))
    late = DeadlinePassed(status=RunStatus.NEEDS_INFORMATION)
    assert world.decide(late, run, after=timedelta(days=15)).status is RunStatus.DECLINED


def test_a_policy_that_asks_nobody_starts_at_once(world: Any) -> None:
    world.policy(readiness=Readiness.OFF)
    assert world.decide(vague(world), world.run(RunStatus.ADMITTING)).status is RunStatus.STARTING
