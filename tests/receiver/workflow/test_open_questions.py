"""Whoever gets a run is asked one question that fits its end, and told how each answer is said."""

from typing import Any

import pytest
from msgspec.structs import replace

from receiver.workflow import open_questions
from receiver.workflow.effects import CheckLabel, HandOver
from receiver.workflow.end_codes import CLASSES, EndCode
from receiver.workflow.events.ticket_events import LabelChange
from receiver.workflow.open_questions import OPEN_QUESTIONS, Answer
from receiver.workflow.person import Right
from receiver.workflow.run import RunStatus

OF_PEOPLE = {
    *(EndCode.MERGED, EndCode.CLOSED, EndCode.CANCELLED, EndCode.NOT_ADMITTED, EndCode.NOTHING_TO_COMMAND),
    *(EndCode.NOT_REPRODUCED, EndCode.NOT_A_BUG, EndCode.DUPLICATE, EndCode.TOO_LARGE, EndCode.FEATURE_REQUEST),
    *(EndCode.OPERATIONS, EndCode.NO_ANSWER, EndCode.NO_APPROVAL, EndCode.BY_HAND),
}
"""Ends at which nobody is handed anything."""


def test_every_end_that_hands_a_run_over_has_its_question() -> None:
    assert set(OPEN_QUESTIONS) == set(EndCode) - OF_PEOPLE
    assert set(CLASSES) <= set(OPEN_QUESTIONS)


@pytest.mark.parametrize("code", OPEN_QUESTIONS)
def test_a_question_is_one_and_has_at_least_one_answer(code: EndCode) -> None:
    asked = open_questions.of(code, iteration=1)
    assert asked.question.count("?") >= 1
    assert len(asked.question) < 200
    assert len(asked.alternatives) == len(set(asked.alternatives)) >= 1


def test_an_end_without_a_code_is_asked_about_as_well() -> None:
    assert open_questions.of(None, iteration=1) == open_questions.UNKNOWN


def gives(world: Any, answer: Answer) -> list[Any]:
    """Return what somebody who may start runs does who gives an answer."""
    events = {
        Answer.HINT: [world.read("retry -- look at the store")],
        Answer.RETRY: [world.read("retry")],
        Answer.RAISE: [world.read("budget +1"), world.read("retry")],
        Answer.ANEW: [world.labelled()],
        Answer.MERGE: [world.merge_request("merge", "merged")],
        Answer.CLOSE: [world.merge_request("close", "closed")],
        Answer.BY_HAND: [world.label(LabelChange.REMOVED), world.label_checked(LabelChange.REMOVED, Right.START)],
    }
    return events[answer]


@pytest.mark.parametrize("code", [*OPEN_QUESTIONS, None])
@pytest.mark.parametrize(("iteration", "is_withdrawn"), [(0, False), (1, False), (1, True)])
@pytest.mark.parametrize("has_merge_request", [True, False])
def test_every_answer_that_is_offered_makes_the_run_leave_its_state(
    world: Any,
    code: EndCode | None,
    iteration: int,
    is_withdrawn: bool,  # noqa: FBT001  # a table's column
    has_merge_request: bool,  # noqa: FBT001  # as above
) -> None:
    asked = open_questions.of(code, iteration=iteration, is_withdrawn=is_withdrawn)
    shaped_as = RunStatus.IN_REVIEW if has_merge_request or code is EndCode.NO_REVIEW else RunStatus.RUNNING
    escalated = replace(
        world.run(shaped_as), status=RunStatus.ESCALATED, iteration=iteration, is_withdrawn=is_withdrawn
    )
    for answer in asked.alternatives:
        run = escalated
        for event in gives(world, Answer(answer)):
            run, decision = world.apply(run, event)
        assert run.status is not RunStatus.ESCALATED or decision.new_run is not None, (answer, decision.reason)
        assert HandOver() in decision.effects


def test_who_takes_the_ticket_off_the_bot_closes_it_and_nobody_is_reminded_any_more(world: Any) -> None:
    run = replace(world.run(RunStatus.IN_REVIEW), status=RunStatus.ESCALATED)
    asked = world.decide(world.label(LabelChange.REMOVED), run)
    assert [type(one) for one in asked.effects] == [CheckLabel]
    decision = world.decide(world.label_checked(LabelChange.REMOVED, Right.START), run)
    assert (decision.status, decision.end.code, decision.deadline) == (RunStatus.CLOSED, EndCode.BY_HAND, None)
    assert "Its open merge requests stay" in decision.reason
    refused = world.decide(world.label_checked(LabelChange.REMOVED, Right.REPORTER), run)
    assert refused.status is None
    assert "changes nothing" in refused.reason


def test_a_run_that_began_no_attempt_offers_none_and_says_so(world: Any) -> None:
    early = world.run(RunStatus.NEEDS_INFORMATION, iteration=0, pipelines=())
    cancelled, decision = world.apply(early, world.read("cancel"))
    assert "/bug-fix retry" not in decision.reason
    refused = world.decide(world.read("retry"), cancelled)
    assert "before its first attempt began" in refused.answered.text
