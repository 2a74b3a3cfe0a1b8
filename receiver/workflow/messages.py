"""Where somebody says something: a comment on a ticket, a note on a merge request, a terminal. Data only."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from pipelines.language.catalogue import Confidential


class Venue(StrEnum):
    """What kind of place it is."""

    TICKET = "ticket"
    MERGE_REQUEST = "merge request"
    TERMINAL = "terminal"


class TicketMessage(Struct, frozen=True, kw_only=True, tag=True):
    """A comment on the run's ticket."""

    comment: str
    readers: Confidential | None = None
    """The role or group that alone may read it; None: all who see the ticket."""
    is_internal: bool = False
    """A service desk's customers don't see it."""

    @property
    def venue(self) -> Venue:
        """Return what kind of place it is."""
        return Venue.TICKET


class NoteMessage(Struct, frozen=True, kw_only=True, tag=True):
    """A note on one of the run's merge requests."""

    project_id: int
    iid: int
    note: int
    discussion: str = ""
    """The thread that it stands in; empty: none."""

    @property
    def venue(self) -> Venue:
        """Return what kind of place it is."""
        return Venue.MERGE_REQUEST


class TerminalMessage(Struct, frozen=True, kw_only=True, tag=True):
    """A command of `bug-fix`, by somebody who can use the database."""

    request: str
    """Its own id."""

    @property
    def venue(self) -> Venue:
        """Return what kind of place it is."""
        return Venue.TERMINAL


Message = TicketMessage | NoteMessage | TerminalMessage
