"""Events of tickets: labels, admission, restriction. Data only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from pipelines.language import CommitSha, IssueKey, ProjectPath
from pipelines.language.wire import Ticket
from receiver.workflow.person import AccountId, Person


class IssueLabelled(Struct, frozen=True, kw_only=True, tag=True):
    """The start label was added to a ticket: `set(to) - set(from)`, or present when the ticket was created."""

    issue_key: IssueKey
    actor: AccountId
    actor_name: str
    level: str = ""
    """The security level that the same edit gave the ticket."""
    at: datetime | None = None
    """When, by Jira's clock; None: not told."""


class LabelChange(StrEnum):
    """What people do with labels, besides setting the one that starts a run."""

    REMOVED = "removed"
    """The start label was taken off."""
    SET_AGAIN = "set again"
    """It was set again soon after that."""
    HELD = "held"
    """The label that pauses a run was set."""
    RELEASED = "released"
    """It was taken off."""


class LabelChanged(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody changed a label of a ticket that steers its run. Who may do that is asked when it is acted on."""

    issue_key: IssueKey
    change: LabelChange
    actor: AccountId
    """Empty: Jira does not say."""
    actor_name: str
    at: datetime | None = None
    """When, by Jira's clock; None: not told."""


class LabelChecked(Struct, frozen=True, kw_only=True, tag=True):
    """The ticket's labels were read again, and what the person may do who changed one."""

    change: LabelChange
    author: Person
    still: bool
    """The ticket is still as the person left it."""


class StartRequested(Struct, frozen=True, kw_only=True, tag=True):
    """An operator asked for a run at the command line."""

    issue_key: IssueKey
    actor_name: str


class TicketAdmitted(Struct, frozen=True, kw_only=True, tag=True):
    """The ticket was fetched by REST and the person who asked may start runs."""

    ticket: Ticket
    base_shas: dict[ProjectPath, CommitSha]
    catalogue_sha256: str


class TicketRefused(Struct, frozen=True, kw_only=True, tag=True):
    """The ticket can't be worked on, or the person may not start runs."""

    reason: str
    """A sentence for people that says what to do next."""
    actor: AccountId | None = None
    """Who asked; None: not known."""


class IssueRestricted(Struct, frozen=True, kw_only=True, tag=True):
    """People gave the ticket of a run a security level: only some of those who see the project may read it."""

    issue_key: IssueKey
    level: str
    """The level's name; empty when Jira shows the ticket no more to us either."""


class TicketRefreshed(Struct, frozen=True, kw_only=True, tag=True):
    """A ticket whose run waited was fetched again, and the repositories' heads with it."""

    iteration: int
    """The one that begins with it."""
    ticket: Ticket
    base_shas: dict[ProjectPath, CommitSha]
    because: str
    """What made the run go on, a sentence."""
    hint: str = ""
    """What a person said who did not want the plan. Untrusted."""
