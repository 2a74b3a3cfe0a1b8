"""What the emulated Jira keeps: people, issues, comments, links, history, workflow. Holds data, decides nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

Json = dict[str, Any]


class Category(Enum):
    """Jira's three status categories: id, key, colour and name."""

    TO_DO = (2, "new", "blue-gray", "To Do")
    IN_PROGRESS = (4, "indeterminate", "yellow", "In Progress")
    DONE = (3, "done", "green", "Done")


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user."""

    username: str
    """`name` where Jira is a Data Center; Cloud shows it nowhere."""
    name: str
    """Display name."""
    email: str
    account_id: str
    groups: tuple[str, ...] = ()
    bot: bool = False


@dataclass(frozen=True, kw_only=True)
class Status:
    """A status of the workflow."""

    id: str
    name: str
    category: Category


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A way from some statuses to another."""

    id: str
    name: str
    to: Status
    origins: frozenset[str] | None = None
    """Names of the statuses it begins at; None: all of them."""
    required: tuple[str, ...] = ()
    """Fields of its screen that must be filled."""


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """Statuses in the order of the board, and the transitions between them."""

    statuses: tuple[Status, ...]
    transitions: tuple[Transition, ...]

    def status(self, name: str) -> Status:
        """Return the status of that name."""
        return next(status for status in self.statuses if status.name == name)

    def offered(self, status: Status) -> tuple[Transition, ...]:
        """Return the transitions that lead out of a status."""
        return tuple(one for one in self.transitions if one.origins is None or status.name in one.origins)


@dataclass(frozen=True, kw_only=True)
class Named:
    """A priority, an issue type, a resolution, a component or a security level."""

    id: str
    name: str


PRIORITIES: Final = tuple(
    Named(id=str(index), name=name)
    for index, name in enumerate(("Highest", "High", "Medium", "Low", "Lowest"), start=1)
)
ISSUE_TYPES: Final = (
    Named(id="10001", name="Story"),
    Named(id="10002", name="Task"),
    Named(id="10004", name="Bug"),
)
RESOLUTIONS: Final = (
    Named(id="10000", name="Done"),
    Named(id="10001", name="Won't Do"),
    Named(id="10002", name="Duplicate"),
    Named(id="10003", name="Cannot Reproduce"),
)


SECURITY_LEVEL: Final = "10200"
"""Id of the level that a scenario's ticket has."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One item of a changelog; for labels both texts are all labels, joined by spaces."""

    field: str
    old_id: str | None = None
    old_text: str | None = None
    new_id: str | None = None
    new_text: str | None = None


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """What one person changed in one step."""

    id: str
    author: Person
    created: datetime
    items: tuple[Change, ...]


@dataclass(kw_only=True)
class Comment:
    """A comment; its body is wiki markup, whichever API it came through."""

    id: str
    author: Person
    body: str
    created: datetime
    updated: datetime
    update_author: Person
    visibility: Json | None = None
    is_internal: bool = False
    """A service desk's customers don't see it."""


@dataclass(kw_only=True)
class RemoteLink:
    """A link from an issue to something elsewhere."""

    id: int
    global_id: str | None
    object: Json
    application: Json
    relationship: str | None


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file on an issue."""

    id: str
    filename: str
    author: Person
    created: datetime
    mime_type: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Project:
    """The project of all issues here."""

    id: str
    key: str
    name: str


@dataclass(kw_only=True)
class Issue:
    """An issue."""

    id: str
    key: str
    project: Project
    issuetype: Named
    summary: str
    description: str
    """Wiki markup."""
    status: Status
    priority: Named
    reporter: Person
    creator: Person
    created: datetime
    updated: datetime
    assignee: Person | None = None
    resolution: Named | None = None
    resolution_date: datetime | None = None
    labels: tuple[str, ...] = ()
    """Sorted, as Jira keeps them."""
    security: Named | None = None
    """Who may see it; None: everybody who sees the project."""
    components: tuple[Named, ...] = ()
    comments: dict[str, Comment] = field(default_factory=dict)
    links: dict[int, RemoteLink] = field(default_factory=dict)
    attachments: dict[str, Attachment] = field(default_factory=dict)
    history: list[HistoryEntry] = field(default_factory=list)
