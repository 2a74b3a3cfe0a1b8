"""A ticket that people restrict while its run goes on: the run becomes confidential, and stays so."""

from typing import Any

import pytest

from receiver.workflow.effects import (
    AskReporter,
    AttachEvidence,
    Effect,
    NeutraliseMergeRequest,
    PostPlan,
    UpdateMergeRequestNote,
    UpdateTicketNote,
)
from receiver.workflow.run import RunStatus, Verdict


@pytest.mark.parametrize("status", sorted(RunStatus))
def test_a_run_of_any_status_becomes_confidential_and_all_that_people_read_is_written_anew(
    world: Any, status: RunStatus
) -> None:
    run, decision = world.apply(world.run(status), world.restricted())
    assert (run.confidential, run.status, decision.verdict) == (True, status, Verdict.ACTED)
    assert "security level School boards only: the run is confidential from here on" in decision.reason
    repositories = [one.repository for one in run.merge_requests]
    waiting: dict[RunStatus, Effect] = {
        RunStatus.AWAITING_APPROVAL: PostPlan(iteration=1),
        RunStatus.NEEDS_INFORMATION: AskReporter(iteration=1),
    }
    has_note = status not in {RunStatus.ADMITTING, RunStatus.REFUSED}
    assert decision.effects == (
        *(NeutraliseMergeRequest(repository=one) for one in repositories),
        *([waiting[status]] if status in waiting else []),
        *([UpdateTicketNote()] if has_note else []),
        *(UpdateMergeRequestNote(repository=one) for one in repositories),
    )


def test_once_is_enough_and_nothing_takes_it_back(world: Any) -> None:
    run, _ = world.apply(world.run(RunStatus.RUNNING), world.restricted())
    run, again = world.apply(run, world.restricted("Another"))
    assert (run.confidential, again.verdict, again.effects) == (True, Verdict.IGNORED, ())
    run, _ = world.apply(run, world.refreshed(iteration=2, security_level=""))
    assert run.confidential


def test_a_ticket_that_is_not_shown_to_us_any_more_counts_as_restricted(world: Any) -> None:
    run, decision = world.apply(world.run(RunStatus.RUNNING), world.restricted(""))
    assert run.confidential
    assert decision.reason.startswith("Jira shows us the ticket no more: ")


@pytest.mark.parametrize(
    ("status", "branch"),
    [
        (RunStatus.STARTING, "bug-fix/PL-479"),
        (RunStatus.RUNNING, "bug-fix/PL-479"),
        (RunStatus.NEEDS_INFORMATION, "bug-fix/PL-479"),
        (RunStatus.AWAITING_APPROVAL, "bug-fix/PL-479"),
        (RunStatus.OPENING, None),  # each push looks whether its project has the branch already
        (RunStatus.IN_REVIEW, None),
    ],
)
def test_a_branch_that_nobody_pushed_to_yet_gets_a_name_that_says_nothing(
    world: Any, status: RunStatus, branch: str | None
) -> None:
    assert world.decide(world.restricted(), world.run(status)).branch == branch


def test_a_merge_request_that_was_being_opened_meanwhile_is_written_anew_as_well(world: Any) -> None:
    open_one = world.decide(world.opened(), world.run(RunStatus.OPENING))
    assert NeutraliseMergeRequest(repository=world.repository) not in open_one.effects
    run, _ = world.apply(world.run(RunStatus.OPENING), world.restricted())
    decision = world.decide(world.opened(), run)
    assert decision.status is RunStatus.IN_REVIEW
    assert NeutraliseMergeRequest(repository=world.repository) in decision.effects
    assert not any(isinstance(one, AttachEvidence) for one in decision.effects)


def test_a_ticket_without_a_run_means_nothing(world: Any) -> None:
    assert world.decide(world.restricted(), None).verdict is Verdict.IGNORED
