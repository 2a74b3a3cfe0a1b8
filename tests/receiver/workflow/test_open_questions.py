"""Whoever gets a run is asked one question that fits its end, and told how each answer is said."""

import pytest

from receiver.workflow import open_questions
from receiver.workflow.end_codes import CLASSES, EndCode
from receiver.workflow.open_questions import OPEN_QUESTIONS

OF_PEOPLE = {
    *(EndCode.MERGED, EndCode.CLOSED, EndCode.CANCELLED, EndCode.NOT_ADMITTED, EndCode.NOTHING_TO_COMMAND),
    *(EndCode.NOT_REPRODUCED, EndCode.NOT_A_BUG, EndCode.DUPLICATE, EndCode.TOO_LARGE, EndCode.FEATURE_REQUEST),
    *(EndCode.OPERATIONS, EndCode.NO_ANSWER, EndCode.NO_APPROVAL),
}
"""Ends at which nobody is handed anything."""


def test_every_end_that_hands_a_run_over_has_its_question() -> None:
    assert set(OPEN_QUESTIONS) == set(EndCode) - OF_PEOPLE
    assert set(CLASSES) <= set(OPEN_QUESTIONS)


@pytest.mark.parametrize("code", OPEN_QUESTIONS)
def test_a_question_is_one_and_has_at_least_one_answer(code: EndCode) -> None:
    asked = open_questions.of(code)
    assert asked.question.count("?") >= 1
    assert len(asked.question) < 200
    assert len(asked.alternatives) == len(set(asked.alternatives)) >= 1


def test_an_end_without_a_code_is_asked_about_as_well() -> None:
    assert open_questions.of(None) == open_questions.UNKNOWN
