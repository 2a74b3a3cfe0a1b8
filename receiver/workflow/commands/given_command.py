"""A command as it was read, what a decision on it may depend on, and how its author is answered. Performs no I/O."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from pipelines.language import RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.command_grants import CommandGrants
from receiver.comments.command_line import Command
from receiver.workflow.commands.permissions import DEVELOPER, allow
from receiver.workflow.effects import AnswerComment, AnswerNote, AnswerTopic, Effect
from receiver.workflow.messages import Message, NoteMessage, TerminalMessage, TicketMessage
from receiver.workflow.outcomes import acted
from receiver.workflow.person import Person, Right
from receiver.workflow.run import Answered, Decision
from receiver.workflow.turns import RunQueue


class Given(Struct, frozen=True, kw_only=True):
    """A command that was read."""

    command: Command
    person: Person
    message: Message
    plan: int | None = None
    """The iteration whose plan its author can have seen."""
    head_sha: str = ""
    """The commit that its author can have seen at the head of the merge request; empty: not known."""
    is_confided: bool = False
    """Everybody may read of the run, but only some what was said: no word of it is told to others."""
    is_open: bool = True
    """The merge request on which it was said is."""

    @property
    def who(self) -> str:
        """Return what its author is called."""
        return self.person.called


class Circumstances(Struct, frozen=True, kw_only=True):
    """What a decision on a command may depend on, besides the run and the command."""

    catalogue: Catalogue
    """The run's."""
    grants: CommandGrants
    """Who may say what, as bug-fix.yml has it now."""
    queue: RunQueue
    now: datetime
    new_id: RunId
    is_newest: bool = True
    """The ticket has no newer run."""


class Refused(Struct, frozen=True):
    """A command that is not obeyed."""

    why: str
    """A sentence for its author."""


def obeyed(decision: Decision, given: Given, text: str, *, topic: AnswerTopic = AnswerTopic.SENTENCE) -> Decision:
    """Return a decision to obey a command, that lets its author know."""
    told = (*decision.effects, *answer(given, text, topic=topic))
    return replace(decision, effects=told, answered=Answered(is_obeyed=True, text=text))


def refused(given: Given, why: str) -> Decision:
    """Return a decision not to obey, with the reason for the author."""
    told = "Why stands in the answer, for those who may read the comment." if given.is_confided else why
    decision = acted(f"{given.who}'s command is not obeyed. {told}", *answer(given, why))
    return replace(decision, answered=Answered(is_obeyed=False, text=why))


def answer(given: Given, text: str, *, topic: AnswerTopic = AnswerTopic.SENTENCE) -> tuple[Effect, ...]:
    """Return what tells the author, where the command was said; at a terminal the decision's reason is read."""
    person, message = given.person, given.message
    match message:
        case TicketMessage():
            said: Effect = AnswerComment(
                comment=message.comment,
                text=text,
                topic=topic,
                author=person.account,
                name=person.name,
                may_start=person.has_any({Right.START}),
                readers=message.readers,
                is_internal=message.is_internal,
            )
        case NoteMessage():
            said = AnswerNote(
                project_id=message.project_id,
                iid=message.iid,
                note=message.note,
                discussion=message.discussion,
                text=text,
                topic=topic,
                author=person.account,
                name=person.name,
                may_steer=allow((DEVELOPER,), person),
            )
        case TerminalMessage():
            return ()
        case never:
            assert_never(never)
    return (said,)
