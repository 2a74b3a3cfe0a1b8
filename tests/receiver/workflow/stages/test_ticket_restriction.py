"""A ticket that people restrict while its run works: the run stops, takes back what it showed, and is handed over."""

from typing import Any

import pytest

from receiver.workflow import lifecycle
from receiver.workflow.audience import Audience
from receiver.workflow.effects import (
    AskReporter,
    AttachEvidence,
    CancelPipeline,
    Effect,
    HandOver,
    NeutraliseMergeRequest,
    PostPlan,
    UpdateMergeRequestNote,
    UpdateTicketNote,
)
from receiver.workflow.end_codes import EndCode
from receiver.workflow.run import RunStatus, Verdict

STOPPED = lifecycle.ACTIVE - {RunStatus.ADMITTING}


@pytest.mark.parametrize("status", sorted(set(RunStatus) - {RunStatus.ADMITTING}))
def test_a_run_at_work_stops_and_whatever_any_run_showed_is_taken_back(world: Any, status: RunStatus) -> None:
    before = world.run(status)
    run, decision = world.apply(before, world.restricted())
    assert (run.audience, decision.verdict) == (Audience.WITHHELD, Verdict.ACTED)
    if status in STOPPED:
        assert run.status is RunStatus.ESCALATED
        assert decision.end is not None
        assert decision.end.code is EndCode.RESTRICTED
        assert "security level School boards only" in decision.reason
        assert "set the label again" in decision.reason
    else:
        assert (run.status, decision.end) == (status, None)
    repositories = [one.repository for one in run.merge_requests]
    waiting: dict[RunStatus, Effect] = {
        RunStatus.AWAITING_APPROVAL: PostPlan(iteration=1),
        RunStatus.NEEDS_INFORMATION: AskReporter(iteration=1),
    }
    has_pipeline = status in STOPPED and before.parent is not None
    withdrawn = [effect for effect in decision.effects if not isinstance(effect, CancelPipeline)]
    assert len(decision.effects) - len(withdrawn) == int(has_pipeline)
    assert withdrawn == [
        *(NeutraliseMergeRequest(repository=one) for one in repositories),
        *([waiting[status]] if status in waiting else []),
        *([UpdateTicketNote()] if status is not RunStatus.REFUSED else []),
        *(UpdateMergeRequestNote(repository=one) for one in repositories),
        *([HandOver()] if status is not RunStatus.REFUSED else []),
    ]


def test_a_ticket_that_is_restricted_before_its_run_began_has_a_confidential_run_from_its_beginning(world: Any) -> None:
    run, decision = world.apply(world.run(RunStatus.ADMITTING), world.restricted())
    assert (run.status, run.audience, decision.effects) == (RunStatus.ADMITTING, Audience.WITHHELD, ())
    run, _ = world.apply(run, world.admitted())
    assert (run.status, run.branch) == (RunStatus.STARTING, "bug-fix/PL-479")


def test_once_is_enough_and_nothing_takes_it_back(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.RUNNING), world.restricted())
    run, again = world.apply(run, world.restricted("Another"))
    assert (run.audience, again.verdict, again.effects) == (Audience.WITHHELD, Verdict.IGNORED, ())
    run, _ = world.apply(run, world.refreshed(iteration=2, security_level=""))
    assert not run.audience.is_public


def test_a_run_that_was_confidential_from_its_beginning_goes_on(world: Any) -> None:
    run = world.run(RunStatus.RUNNING, audience=Audience.RESTRICTED)
    assert world.decide(world.restricted("Another"), run).verdict is Verdict.IGNORED


def test_a_level_that_is_found_when_the_ticket_is_read_again_stops_a_run_that_waited(world: Any) -> None:
    waits = world.run(RunStatus.NEEDS_INFORMATION)
    run, decision = world.apply(waits, world.refreshed(iteration=2, security_level="School boards only"))
    assert (run.status, decision.end.code) == (RunStatus.ESCALATED, EndCode.RESTRICTED)
    assert AskReporter(iteration=1) in decision.effects
    goes_on = world.run(RunStatus.NEEDS_INFORMATION, audience=Audience.RESTRICTED)
    decision = world.decide(world.refreshed(iteration=2, security_level="School boards only"), goes_on)
    assert decision.status is RunStatus.STARTING


def test_a_ticket_that_is_not_shown_to_us_any_more_counts_as_restricted(world: Any) -> None:
    run, decision = world.apply(world.run(RunStatus.RUNNING), world.restricted(""))
    assert (run.status, run.audience) == (RunStatus.ESCALATED, Audience.WITHHELD)
    assert decision.reason.startswith("Jira no longer shows us the ticket")


def test_a_merge_request_that_was_being_opened_meanwhile_is_neutralised_and_the_run_stays_stopped(world: Any) -> None:
    open_one = world.decide(world.opened(), world.run(RunStatus.OPENING))
    assert NeutraliseMergeRequest(repository=world.repository) not in open_one.effects
    run, _ = world.apply(world.run(RunStatus.OPENING), world.restricted())
    decision = world.decide(world.opened(), run)
    assert decision.status is None
    assert NeutraliseMergeRequest(repository=world.repository) in decision.effects
    assert not any(isinstance(one, AttachEvidence) for one in decision.effects)


def test_people_still_merge_what_a_stopped_run_opened(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.IN_REVIEW), world.restricted())
    run, _ = world.apply(run, world.merge_request("merge", "merged"))
    assert run.status is RunStatus.MERGED


def test_a_ticket_without_a_run_means_nothing(world: Any) -> None:
    assert world.decide(world.restricted(), None).verdict is Verdict.IGNORED
