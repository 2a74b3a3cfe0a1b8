"""Decide what a command means for a run, wherever it was said: obey it, or say why not. Performs no I/O.

A command counts once, and gets one answer.
"""

from __future__ import annotations

from typing import Final

from receiver import limits
from receiver.comments.command_line import Command
from receiver.workflow.commands import command_refusals, command_table, confidences
from receiver.workflow.commands.command_meanings import MEANINGS
from receiver.workflow.commands.command_table import CommandWord
from receiver.workflow.commands.given_command import Circumstances, Given, Refused, answer, obeyed, refused
from receiver.workflow.messages import Message, NoteMessage
from receiver.workflow.outcomes import acted, ignored
from receiver.workflow.person import AccountId, Directory, Person
from receiver.workflow.run import Decision, Learned, Run, RunStatus

NOTHING_HERE: Final = (
    "No bug fix was started for this ticket, so there is nothing to command. Somebody who may start bug fixes sets the "
    "label `{label}`, or says `/bug-fix start`."
)
"""Said to every command on a ticket without a run, whoever gives it."""
CLOSED: Final = "This merge request is not open any more, so nothing is commanded here. Say it on the ticket."
ENOUGH: Final = "{name} gave {count} commands already; further ones are left alone."
NOT_NEWEST: Final = "The ticket has a newer bug fix; say it on the ticket."
TOLD_OF_ANY: Final = frozenset({CommandWord.STATUS, CommandWord.COST, CommandWord.EXPLAIN, CommandWord.HELP})
"""Commands that mean something for a run of the past, too."""
REPEATED: Final = "The command was read before."


def steered(given: Given, run: Run, circumstances: Circumstances, *, learned: Learned) -> Decision:
    """Obey a command, or say why not."""
    if not learned.is_new:
        return ignored(REPEATED)
    if learned.said_before >= limits.COMMANDS_OF_ONE:
        return ignored(ENOUGH.format(name=given.who, count=learned.said_before))
    why = _why_not(given, run, circumstances)
    word = command_table.word_of(given.command)
    if why is not None or word is None:
        return refused(given, why or "")
    heard = confidences.heard(given)
    decision = MEANINGS[word](heard, run, circumstances)
    if isinstance(decision, Refused):
        return refused(given, decision.why)
    left = "" if heard.command == given.command else f" {confidences.WORDS_LEFT}"
    return decision if decision.answered else obeyed(decision, given, f"{decision.reason}{left}")


def _why_not(given: Given, run: Run, circumstances: Circumstances) -> str | None:
    """Return why a command is not obeyed, None when it is."""
    word = command_table.word_of(given.command)
    if run.status is RunStatus.REFUSED and word is not CommandWord.START:
        return NOTHING_HERE.format(label=circumstances.catalogue.jira.start.label)
    if not given.is_open:
        return CLOSED
    if not circumstances.is_newest and word not in TOLD_OF_ANY:
        return NOT_NEWEST
    return command_refusals.refusal(
        given.command, given.person, run.status, where=given.message.venue, grants=circumstances.grants
    )


UNREAD: Final = "It could not be read and checked who may do what, so nothing was done: {why} Say it again in a while."


def unread(message: Message, why: str) -> Decision:
    """Say that a comment or note was not obeyed because Jira or GitLab did not answer: in doubt nothing is done."""
    directory = Directory.GITLAB if isinstance(message, NoteMessage) else Directory.JIRA
    nobody = Person(directory=directory, account=AccountId(""))
    given = Given(command=Command(word=""), person=nobody, message=message)
    text = UNREAD.format(why=why)
    return acted(f"What somebody said is not obeyed. {text}", *answer(given, text))
