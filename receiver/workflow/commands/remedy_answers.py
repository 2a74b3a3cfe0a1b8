"""What `approve remedy N` and `reject remedy N` do. Performs no I/O."""

from __future__ import annotations

from typing import Final

from receiver.workflow.commands.given_command import Given, Refused
from receiver.workflow.effects import AnswerRemedy, RemedyAnswer
from receiver.workflow.messages import NoteMessage
from receiver.workflow.outcomes import acted
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import Decision, MergeRequestView, RemedyView, Run

NO_SUCH: Final = "There is no remedy {number} here that waits for anybody."
IN_CHANGE: Final = (
    "Remedy {number} is part of the change already: review the merge request, or say `/bug-fix revise -- what`."
)
OVER: Final = "Remedy {number} is {state} already."


def answered(given: Given, run: Run, answer: RemedyAnswer) -> Decision | Refused:
    """Take a remedy that is offered, or dismiss it; the number counts the run's remedies, oldest first."""
    arguments = given.command.arguments
    number = int(arguments[1])
    one = run.remedies[number - 1] if 0 < number <= len(run.remedies) else None
    if one is None or one.state is RemedyState.RED or not _is_here(given, run, one):
        return Refused(NO_SUCH.format(number=number))
    if not one.is_offered:
        return Refused(IN_CHANGE.format(number=number))
    if one.state is not RemedyState.SHOWN:
        return Refused(OVER.format(number=number, state=one.state))
    wanted = AnswerRemedy(
        iteration=one.iteration,
        repository=one.repository,
        answer=answer,
        who=given.who,
        reason=" ".join([*arguments[2:], given.command.hint]).strip(),
    )
    what = {RemedyAnswer.ACCEPT: "approved", RemedyAnswer.REJECT: "rejected"}[answer]
    then = {RemedyAnswer.ACCEPT: "It is committed to the branch.", RemedyAnswer.REJECT: "Its threads are resolved."}
    return acted(f"{given.who} {what} remedy {number} ({one.remedy}). {then[answer]}", wanted)


def _is_here(given: Given, run: Run, one: RemedyView) -> bool:
    """Return whether a command is about its own repository: rights were asked for there."""
    at = given.message
    if not isinstance(at, NoteMessage):
        return True
    here: MergeRequestView | None = next((known for known in run.merge_requests if known.is_at(at)), None)
    return here is not None and here.repository == one.repository
