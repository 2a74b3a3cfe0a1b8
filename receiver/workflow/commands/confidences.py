"""What becomes of words that only some may read, on a run of which everybody may. Performs no I/O.

The command is obeyed and answered where it was said; its free words go nowhere:
not into the run's reason, not to agents.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from receiver.workflow.commands import command_table
from receiver.workflow.commands.given_command import Given
from receiver.workflow.messages import Message, TicketMessage
from receiver.workflow.run import Run

WORDS_LEFT: Final = (
    "Your words were left out: only some may read your comment, and everybody may read of this bug fix. Say them where "
    "all may read them if they are to count."
)
"""Said behind the answer to a command that was obeyed without its words."""
NOT_AN_ANSWER: Final = (
    "This is not taken as an answer: only some may read your comment, and everybody may read of this bug fix. Answer "
    "in a comment that all who see the ticket may read."
)


def is_confided(message: Message, run: Run) -> bool:
    """Return whether not everybody who may read of a run may read what somebody said."""
    if not isinstance(message, TicketMessage) or not run.audience.is_public:
        return False
    return message.readers is not None or message.is_internal


def heard(given: Given) -> Given:
    """Return a command as the run takes it: without words that are not for everybody."""
    return replace(given, command=command_table.without_words(given.command)) if given.is_confided else given
