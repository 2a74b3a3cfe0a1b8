"""What people are asked when they get a run, and what they can answer: by the code of its end. A table; no I/O."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from receiver.workflow.end_codes import EndCode


class OpenQuestion(Struct, frozen=True, kw_only=True):
    """What a person has to decide."""

    question: str
    alternatives: tuple[str, ...]
    """What each answer is said by, the likeliest first."""


class Answer(StrEnum):
    """What a person can do with a run, as it is offered."""

    HINT = "`/bug-fix retry -- hint`: another attempt of what is known, with what you know"
    RETRY = "`/bug-fix retry`: the same again, once the cause is gone"
    RAISE = "`/bug-fix budget +N`, then `/bug-fix retry`: it goes on with N dollars more"
    ANEW = "set the label again: a new run that reads the ticket as it is by then"
    MERGE = "merge it"
    CLOSE = "close it"
    BY_HAND = "finish it by hand: take the ticket off the bot by removing the label"


OF_WHAT_IS_KNOWN: Final = frozenset({Answer.HINT, Answer.RETRY, Answer.RAISE})
"""Answers that make another attempt: a run that never began one, or may not go on, has none."""


def _asks(question: str, *alternatives: Answer) -> OpenQuestion:
    return OpenQuestion(question=question, alternatives=(*alternatives, Answer.BY_HAND))


_SURROUNDINGS: Final = _asks(
    "Is what it ran into mended, so that the same can be tried again?", Answer.RETRY, Answer.ANEW
)
_SETTINGS: Final = _asks(
    "Which setting, right or version is to be changed before the same is tried again?", Answer.RETRY
)
_LATE: Final = _asks("Is this still wanted, and what held it up?", Answer.RETRY, Answer.ANEW)

OPEN_QUESTIONS: Final[dict[EndCode, OpenQuestion]] = {
    EndCode.REPRODUCTION: _asks(
        "Which exact steps show the bug, and what is seen at the last of them?", Answer.HINT, Answer.ANEW
    ),
    EndCode.FAILING_TESTS: _asks(
        "Is what the failing tests expect right, so that the code has to follow, or do they assert the bug?",
        Answer.HINT,
    ),
    EndCode.REGRESSION: _asks(
        "May the checks get worse in this way, or what else has to change with the fix?", Answer.HINT
    ),
    EndCode.REFUSED_CHANGE: _asks(
        "Is the refused change right? Then allow it in bug-fix.yml; if not, where else is the fix to be made?",
        Answer.HINT,
    ),
    EndCode.UNFINISHED: _asks("Where in the code would you begin, and what does the agent not know?", Answer.HINT),
    EndCode.COMMANDS: _asks("Do the repository's own commands pass in a fresh clone?", Answer.RETRY, Answer.HINT),
    EndCode.CONTRADICTORY_REPORTS: _asks("Which of the two reports is right?", Answer.HINT, Answer.ANEW),
    EndCode.REPEATED_FAILURE: _asks("What do the attempts, which failed in the same way, not see?", Answer.HINT),
    EndCode.REPEATED_CHANGE: _asks("Which other way is there than the change that was made twice?", Answer.HINT),
    EndCode.BUDGET: _asks("May it cost more?", Answer.RAISE),
    EndCode.AGENT_LIMIT: _asks(
        "Was the agent on the way, so that it needs more turns, or is the ticket too large?", Answer.HINT
    ),
    EndCode.CONVERSATION_LENGTH: _asks(
        "Which files matter, so that the others need not be read?", Answer.HINT, Answer.ANEW
    ),
    EndCode.TIME_LIMIT: _LATE,
    EndCode.NO_REVIEW: _asks(
        "Is the fix still wanted? Its merge request waits for a review.", Answer.MERGE, Answer.CLOSE
    ),
    EndCode.NOT_RESUMED: _asks("It was paused. Is it to go on?", Answer.RETRY, Answer.ANEW),
    EndCode.MODEL_UNAVAILABLE: _SURROUNDINGS,
    EndCode.RUNNER: _SURROUNDINGS,
    EndCode.UNDELIVERED_REPORT: _SURROUNDINGS,
    EndCode.UNEXPLAINED_JOB: _SURROUNDINGS,
    EndCode.NO_FIX_SUBMITTED: _SURROUNDINGS,
    EndCode.MODEL_DECLINED: _asks("The model declines this ticket. Who takes it?"),
    EndCode.MODEL_NOT_PERMITTED: _SETTINGS,
    EndCode.DEFECT: _SETTINGS,
    EndCode.GAVE_UP: _SETTINGS,
    EndCode.TOO_MANY_QUESTIONS: _asks(
        "What does the reporter say to the question that is still open?", Answer.HINT, Answer.ANEW
    ),
    EndCode.HANDED_OVER: _asks("What is missing, so that it can go on, or who finishes it?", Answer.HINT),
    EndCode.SECURITY_CONCERN: _asks("Who fixes this away from public eyes?"),
    EndCode.RESTRICTED: _asks("Who may read the ticket and goes on with it?", Answer.ANEW),
}
"""Of every code that a run can end with as `escalated`."""

UNKNOWN: Final = _asks("How is it to go on?", Answer.HINT, Answer.ANEW)
"""Of an end that an older release stored without a code."""


def of(code: str | None, *, iteration: int, is_withdrawn: bool = False) -> OpenQuestion:
    """Return what is asked at a run's end, with the answers that the run can take.

    `iteration`: how many attempts it began. `is_withdrawn`: its ticket was restricted, so that nothing is carried on.
    """
    asked = UNKNOWN if code is None else OPEN_QUESTIONS.get(EndCode(code), UNKNOWN)
    if iteration and not is_withdrawn:
        return asked
    found = (Answer.ANEW if one in OF_WHAT_IS_KNOWN else one for one in asked.alternatives)
    return replace(asked, alternatives=tuple(dict.fromkeys(found)))
