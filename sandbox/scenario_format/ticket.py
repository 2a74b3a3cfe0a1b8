"""The ticket of a scenario, `ticket.yml`."""

from typing import Annotated

import msgspec

from sandbox.scenario_format.fields import Moment, Username


class Comment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A comment that people wrote on the ticket before the story begins; wiki markup."""

    author: Username
    body: str
    created: Moment


class Attachment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file attached to the ticket."""

    file: str
    """Path below the scenario's folder; its last part is the attachment's name."""
    author: Username
    mime_type: str


class Ticket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Jira issue, `ticket.yml`."""

    summary: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    description: str
    """Wiki markup."""
    reporter: Username
    created: Moment
    issuetype: str = "Bug"
    priority: str = "Medium"
    status: str = "To Do"
    assignee: Username | None = None
    components: tuple[str, ...] = ()
    labels: tuple[Annotated[str, msgspec.Meta(pattern=r"^\S+$")], ...] = ()
    comments: tuple[Comment, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    security: str | None = None
    """The issue's security level; None: everybody who sees the project sees it."""
