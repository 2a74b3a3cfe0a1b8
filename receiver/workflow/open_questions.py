"""What people are asked when they get a run, and what they can answer: by the code of its end. A table; no I/O."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from receiver.workflow.end_codes import EndCode


class OpenQuestion(Struct, frozen=True, kw_only=True):
    """What a person has to decide."""

    question: str
    alternatives: tuple[str, ...]
    """What each answer is said by, the likeliest first."""


_HINT: Final = "`/bug-fix retry -- hint`: another attempt of what is known, with what you know"
_RETRY: Final = "`/bug-fix retry`: the same again, once the cause is gone"
_ANEW: Final = "set the label again: a new run that reads the ticket as it is by then"
_BY_HAND: Final = "finish it by hand: take the ticket off the bot by removing the label"


def _asks(question: str, *alternatives: str) -> OpenQuestion:
    return OpenQuestion(question=question, alternatives=(*alternatives, _BY_HAND))


_SURROUNDINGS: Final = _asks("Is what it ran into mended, so that the same can be tried again?", _RETRY, _ANEW)
_SETTINGS: Final = _asks("Which setting, right or version is to be changed before the same is tried again?", _RETRY)
_LATE: Final = _asks("Is this still wanted, and what held it up?", _RETRY, _ANEW)

OPEN_QUESTIONS: Final[dict[EndCode, OpenQuestion]] = {
    EndCode.REPRODUCTION: _asks("Which exact steps show the bug, and what is seen at the last of them?", _HINT, _ANEW),
    EndCode.FAILING_TESTS: _asks(
        "Is what the failing tests expect right, so that the code has to follow, or do they assert the bug?", _HINT
    ),
    EndCode.REGRESSION: _asks("May the checks get worse in this way, or what else has to change with the fix?", _HINT),
    EndCode.REFUSED_CHANGE: _asks(
        "Is the refused change right? Then allow it in bug-fix.yml; if not, where else is the fix to be made?", _HINT
    ),
    EndCode.UNFINISHED: _asks("Where in the code would you begin, and what does the agent not know?", _HINT),
    EndCode.COMMANDS: _asks("Do the repository's own commands pass in a fresh clone?", _RETRY, _HINT),
    EndCode.CONTRADICTORY_REPORTS: _asks("Which of the two reports is right?", _HINT, _ANEW),
    EndCode.REPEATED_FAILURE: _asks("What do the attempts, which failed in the same way, not see?", _HINT),
    EndCode.REPEATED_CHANGE: _asks("Which other way is there than the change that was made twice?", _HINT),
    EndCode.BUDGET: _asks(
        "May it cost more?", "`/bug-fix budget +N`, then `/bug-fix retry`: it goes on with N dollars more"
    ),
    EndCode.AGENT_LIMIT: _asks(
        "Was the agent on the way, so that it needs more turns, or is the ticket too large?", _HINT
    ),
    EndCode.CONVERSATION_LENGTH: _asks("Which files matter, so that the others need not be read?", _HINT, _ANEW),
    EndCode.TIME_LIMIT: _LATE,
    EndCode.NO_REVIEW: _asks("Is the fix still wanted? Its merge request waits for a review.", "merge it", "close it"),
    EndCode.NOT_RESUMED: _asks("It was paused. Is it to go on?", _RETRY, _ANEW),
    EndCode.MODEL_UNAVAILABLE: _SURROUNDINGS,
    EndCode.RUNNER: _SURROUNDINGS,
    EndCode.UNDELIVERED_REPORT: _SURROUNDINGS,
    EndCode.UNEXPLAINED_JOB: _SURROUNDINGS,
    EndCode.NO_FIX_SUBMITTED: _SURROUNDINGS,
    EndCode.MODEL_DECLINED: _asks("The model declines this ticket. Who takes it?"),
    EndCode.MODEL_NOT_PERMITTED: _SETTINGS,
    EndCode.DEFECT: _SETTINGS,
    EndCode.GAVE_UP: _SETTINGS,
    EndCode.TOO_MANY_QUESTIONS: _asks("What does the reporter say to the question that is still open?", _HINT, _ANEW),
    EndCode.HANDED_OVER: _asks("What is missing, so that it can go on, or who finishes it?", _HINT),
    EndCode.SECURITY_CONCERN: _asks("Who fixes this away from public eyes?"),
    EndCode.RESTRICTED: _asks("Who may read the ticket and goes on with it?", _ANEW),
}
"""Of every code that a run can end with as `escalated`."""

UNKNOWN: Final = _asks("How is it to go on?", _HINT, _ANEW)
"""Of an end that an older release stored without a code."""


def of(code: str | None) -> OpenQuestion:
    """Return what is asked at a run's end."""
    return UNKNOWN if code is None else OPEN_QUESTIONS.get(EndCode(code), UNKNOWN)
