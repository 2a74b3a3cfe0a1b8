"""Partial work that people get: committed where it turned the reproduction green, and gone on with by a push."""

from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import Phase, ReportOutcome
from receiver.workflow.audience import Audience
from receiver.workflow.effects import HandOver, OpenDraft
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.outcomes import ended
from receiver.workflow.run import Learned, Run, RunStatus
from receiver.workflow.stages import escalation, merge_request_stage

OTHER = "e" * 64


def failed(world: Any, **tested: Any) -> Run:
    """Return a run whose change failed in testing."""
    made = world.report(Phase.IMPLEMENTATION)
    rejected = world.report(Phase.TESTING, ReportOutcome.REJECTED, reason="A test fails.", **tested)
    run: Run = replace(world.run(RunStatus.RUNNING), reports=(made,), discarded=(rejected,))
    return run


def drafts(world: Any, run: Run, code: EndCode = EndCode.FAILING_TESTS) -> list[OpenDraft]:
    decision = ended(run, RunStatus.ESCALATED, EndReason(code=code, sentence="It failed."), now=world.now)
    found = escalation.followed(decision, run, catalogue=world.catalogue, now=world.now)
    assert HandOver() in found.effects
    return [one for one in found.effects if isinstance(one, OpenDraft)]


def test_a_change_that_turned_the_reproduction_green_is_shown_as_a_draft(world: Any) -> None:
    assert drafts(world, failed(world)) == [OpenDraft(iteration=1, repository=world.repository)]


@pytest.mark.parametrize(
    "tested",
    [{"reproduction_after_passed": False}, {"reproduction_before_failed": False}, {"patch_sha256": OTHER}],
    ids=["red with it", "green without it", "another change"],
)
def test_what_shows_nothing_stays_among_the_artifacts(world: Any, tested: dict[str, Any]) -> None:
    assert drafts(world, failed(world, **tested)) == []


def test_nothing_is_published_of_a_confidential_run_nor_beside_a_merge_request_nor_after_a_stop(world: Any) -> None:
    run = failed(world)
    assert drafts(world, replace(run, audience=Audience.WITHHELD)) == []
    assert drafts(world, replace(run, merge_requests=world.run(RunStatus.IN_REVIEW).merge_requests)) == []
    assert drafts(world, run, EndCode.HANDED_OVER) == []


def pushed(world: Any, *, is_of_person: bool = True, is_new: bool = True, **changes: Any) -> Any:
    run = replace(world.run(RunStatus.IN_REVIEW), status=RunStatus.ESCALATED)
    event = replace(world.merge_request("update", "opened"), **({"head_sha": "b" * 40} | changes))
    learned = Learned(is_new=is_new, is_of_person=is_of_person, was_confidential=False)
    return merge_request_stage.changed(event, run, learned=learned, catalogue=world.catalogue, now=world.now)


def test_a_persons_push_takes_the_run_up_and_people_review_it(world: Any) -> None:
    decision = pushed(world)
    assert decision.status is RunStatus.IN_REVIEW
    assert decision.reason == "mara pushed to payk12/contacts!1 and goes on with it."


@pytest.mark.parametrize(
    "other",
    [{"is_of_person": False}, {"is_new": False}, {"head_sha": "a" * 40}, {"head_sha": ""}, {"state": "closed"}],
    ids=["our own", "known", "no new head", "no head told", "closed"],
)
def test_nothing_else_takes_it_up(world: Any, other: dict[str, Any]) -> None:
    assert pushed(world, **other).status is not RunStatus.IN_REVIEW
