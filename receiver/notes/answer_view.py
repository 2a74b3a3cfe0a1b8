"""Content of an answer to a command, as data. Holds untrusted text, which rendering escapes."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from pipelines.language.command_grants import CommandGrants
from receiver.notes.view import NoteView
from receiver.store.story.history import Moment
from receiver.workflow.commands import command_refusals, command_table, permissions
from receiver.workflow.messages import Venue

MAX_MOMENTS: Final = 12
"""Decisions that an answer explains, the newest."""


class AnswerView(Struct, frozen=True, kw_only=True):
    """What an answer to a command can tell."""

    note: NoteView
    moments: tuple[Moment, ...] = ()
    """Key events of the run, the newest last."""
    where: Venue
    grants: CommandGrants = command_refusals.BY_TABLE

    @property
    def commands(self) -> tuple[tuple[str, str, str], ...]:
        """Return the commands that mean something here now: how they are written, what they do, who may."""
        return tuple(
            (command_table.usage(word), rule.help, permissions.in_words(command_refusals.grants_of(word, self.grants)))
            for word, rule in command_table.RULES.items()
            if self.where in rule.where and self.note.status in rule.when and not rule.later
        )
