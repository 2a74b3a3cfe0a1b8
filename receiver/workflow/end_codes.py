"""Why a run ended, as a code beside its sentence, and the class of a failure. Tables only."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from pipelines.language import Diagnosis


class FailureClass(StrEnum):
    """What a failure is about, and whether trying again can help."""

    CODE = "code"
    """The ticket, the fix or the repository: another attempt needs to do something else."""
    INFRASTRUCTURE = "infrastructure"
    """Runner, network, vendor: the same may work later."""
    LIMITED = "limited"
    """A budget or a limit was used up: somebody raises it, or splits the ticket."""
    PERMANENT = "permanent"
    """The same fails again, so it is never retried."""


class EndCode(StrEnum):
    """Why a run ended. A closed list: a stored value is always one of these."""

    MERGED = "merged"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    NOT_ADMITTED = "not_admitted"
    NOTHING_TO_COMMAND = "nothing_to_command"
    NOT_REPRODUCED = "not_reproduced"
    NOT_A_BUG = "not_a_bug"
    DUPLICATE = "duplicate"
    TOO_LARGE = "too_large"
    FEATURE_REQUEST = "feature_request"
    OPERATIONS = "operations"
    SECURITY_CONCERN = "security_concern"
    RESTRICTED = "restricted"
    TOO_MANY_QUESTIONS = "too_many_questions"
    NO_ANSWER = "no_answer"
    NO_APPROVAL = "no_approval"
    NO_REVIEW = "no_review"
    NOT_RESUMED = "not_resumed"
    HANDED_OVER = "handed_over"
    BY_HAND = "by_hand"

    REPRODUCTION = "reproduction"
    FAILING_TESTS = "failing_tests"
    REGRESSION = "regression"
    REFUSED_CHANGE = "refused_change"
    UNFINISHED = "unfinished"
    COMMANDS = "commands"
    CONTRADICTORY_REPORTS = "contradictory_reports"
    REPEATED_FAILURE = "repeated_failure"
    REPEATED_CHANGE = "repeated_change"

    BUDGET = "budget"
    AGENT_LIMIT = "agent_limit"
    CONVERSATION_LENGTH = "conversation_length"
    TIME_LIMIT = "time_limit"

    MODEL_UNAVAILABLE = "model_unavailable"
    RUNNER = "runner"
    UNDELIVERED_REPORT = "undelivered_report"
    UNEXPLAINED_JOB = "unexplained_job"
    NO_FIX_SUBMITTED = "no_fix_submitted"

    MODEL_DECLINED = "model_declined"
    MODEL_NOT_PERMITTED = "model_not_permitted"
    DEFECT = "defect"
    GAVE_UP = "gave_up"


CLASSES: Final[dict[EndCode, FailureClass]] = {
    code: kind
    for kind, codes in {
        FailureClass.CODE: (
            *(EndCode.REPRODUCTION, EndCode.FAILING_TESTS, EndCode.REGRESSION, EndCode.REFUSED_CHANGE),
            *(EndCode.UNFINISHED, EndCode.COMMANDS, EndCode.CONTRADICTORY_REPORTS),
            *(EndCode.REPEATED_FAILURE, EndCode.REPEATED_CHANGE),
        ),
        FailureClass.LIMITED: (
            *(EndCode.BUDGET, EndCode.AGENT_LIMIT, EndCode.CONVERSATION_LENGTH, EndCode.TIME_LIMIT),
        ),
        FailureClass.INFRASTRUCTURE: (
            *(EndCode.MODEL_UNAVAILABLE, EndCode.RUNNER, EndCode.UNDELIVERED_REPORT),
            *(EndCode.UNEXPLAINED_JOB, EndCode.NO_FIX_SUBMITTED),
        ),
        FailureClass.PERMANENT: (
            *(EndCode.MODEL_DECLINED, EndCode.MODEL_NOT_PERMITTED, EndCode.DEFECT, EndCode.GAVE_UP),
        ),
    }.items()
    for code in codes
}
"""Codes that are failures, by class; the others are honest outcomes and decisions of people."""


def failure_class(code: str | None) -> FailureClass | None:
    """Return the class of a stored code; None of an end that is no failure, and of a run that has not ended."""
    return None if code is None else CLASSES.get(EndCode(code))


class EndReason(Struct, frozen=True, kw_only=True):
    """Why a run ended: for programs, for people, and as data where something went wrong."""

    code: EndCode
    sentence: str
    diagnosis: Diagnosis | None = None
