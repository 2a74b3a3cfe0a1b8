"""Parse what Jira's REST API says of issues and comments, Cloud and Data Center, wiki markup and documents. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from pipelines.language import IssueKey
from pipelines.language.catalogue import Confidential
from pipelines.language.image_format import media_type
from pipelines.language.wire import Ticket, TicketAttachment, TicketComment
from receiver.comments.command_line import Command
from receiver.comments.jira_document import wiki
from receiver.workflow.commands import command_grammar
from receiver.workflow.person import AccountId


class AttachedFile(Struct, frozen=True, kw_only=True):
    """A file on the ticket, before its content is fetched."""

    id: str
    name: str
    mime_type: str
    size: int
    """Bytes, as Jira says."""


class Issue(Struct, frozen=True, kw_only=True):
    """The ticket, and what is only ours to know."""

    ticket: Ticket
    """Its attachments are named only."""
    status: str
    files: tuple[AttachedFile, ...] = ()
    """What people attached, the newest last; our own pictures are not among them."""


class Comment(Struct, frozen=True, kw_only=True):
    """A comment as it is now."""

    id: str
    author: AccountId
    author_name: str
    text: str
    """Wiki markup."""
    command: Command | None
    """The first one that its author gives in it."""
    seems_meant: bool
    """It has no command, but a line that may have been meant as one."""
    created: str
    """When, as Jira writes it; empty when it does not say."""
    is_edited: bool
    """It is not as its author first wrote it."""
    readers: Confidential | None
    """The role or group that alone may read it; None: all who see the ticket."""
    is_internal: bool
    """A service desk's customers don't see it."""
    is_of_person: bool = True
    """Neither an app nor a service desk's customer wrote it, as far as Jira says (Cloud does)."""


class _Named(Struct, frozen=True):
    name: str = ""


class Person(Struct, frozen=True):
    """Whom Jira names."""

    accountId: str = ""  # noqa: N815  # Jira's name
    key: str = ""
    name: str = ""
    displayName: str = ""  # noqa: N815  # Jira's name
    accountType: str = ""  # noqa: N815  # Jira's name
    """`atlassian`, `app`, `customer` or `unknown` on Cloud; Data Center has none."""

    @property
    def account(self) -> AccountId:
        """Return what stands for the person; empty: Jira does not say."""
        return AccountId(self.accountId or self.key or self.name)


class _Comment(Struct, frozen=True):
    id: str
    body: Any = None
    created: str = ""
    updated: str = ""
    author: Person | None = None
    """None: somebody who is no more."""
    updateAuthor: Person | None = None  # noqa: N815  # Jira's name
    visibility: dict[str, Any] | None = None
    jsdPublic: bool = True  # noqa: N815  # Jira's name


class _Comments(Struct, frozen=True):
    comments: list[_Comment] = []
    total: int | None = None


class _File(Struct, frozen=True):
    id: str
    filename: str = ""
    mimeType: str = ""  # noqa: N815  # Jira's name
    size: int = 0
    author: Person | None = None


class _Fields(Struct, frozen=True):
    summary: str | None = None
    description: Any = None
    issuetype: _Named | None = None
    priority: _Named | None = None
    components: list[_Named] | None = None
    labels: list[str] | None = None
    reporter: Person | None = None
    status: _Named | None = None
    comment: _Comments | None = None
    attachment: list[_File] | None = None
    security: _Named | None = None


class _AssignedFields(Struct, frozen=True):
    assignee: Person | None = None


class _Assigned(Struct, frozen=True):
    fields: _AssignedFields


class _Issue(Struct, frozen=True):
    id: str
    key: str
    fields: _Fields


FIELDS = ",".join(_Fields.__struct_fields__)


def account(person: object) -> AccountId:
    """Return what stands for a person: an account id (Cloud) or a user key (Data Center)."""
    return msgspec.convert(person, Person).account


def assignee(body: object) -> AccountId:
    """Return who an issue of REST's JSON is assigned to; empty: nobody."""
    found = msgspec.convert(body, _Assigned).fields.assignee
    return AccountId("") if found is None else found.account


def lacks_comments(body: object) -> bool:
    """Say whether an issue of REST's JSON holds the first of its comments only."""
    given = msgspec.convert(body, _Issue).fields.comment
    return given is not None and given.total is not None and given.total > len(given.comments)


def issue(body: object, *, url: str, own: AccountId, comments: Sequence[object] | None = None) -> Issue:
    """Return an issue of REST's JSON. `url`: its address for people; `own`: our account, whose words are left out.

    `comments` are all of them, where the issue lacks some.
    """
    found = msgspec.convert(body, _Issue)
    said = found.fields.comment.comments if found.fields.comment else []
    if comments is not None:
        said = msgspec.convert(comments, list[_Comment])
    fields = found.fields
    files = [one for one in fields.attachment or () if one.author is None or one.author.account != own]
    ticket = Ticket(
        key=IssueKey(found.key),
        id=found.id,
        summary=fields.summary or "",
        description=wiki(fields.description),
        issue_type=_name(fields.issuetype),
        priority=_name(fields.priority),
        components=tuple(component.name for component in fields.components or ()),
        labels=tuple(fields.labels or ()),
        reporter=fields.reporter.displayName if fields.reporter else "",
        url=url,
        comments=tuple(
            TicketComment(
                author=one.author.displayName if one.author else "",
                body=wiki(one.body),
                created=one.created,
                is_restricted=one.visibility is not None or not one.jsdPublic,
            )
            for one in said
            if one.author is None or one.author.account != own
        ),
        attachments=tuple(
            TicketAttachment(name=one.filename, mime_type=media_type(one.mimeType), size=one.size) for one in files
        ),
        reporter_account=fields.reporter.account if fields.reporter else "",
        security_level=_name(fields.security),
    )
    return Issue(
        ticket=ticket,
        status=_name(fields.status),
        files=tuple(
            AttachedFile(id=one.id, name=one.filename, mime_type=media_type(one.mimeType), size=one.size)
            for one in files
        ),
    )


def security_level(body: object) -> str:
    """Return the name of an issue's security level, empty when it has none."""
    level = msgspec.convert(body, _Issue).fields.security
    return "" if level is None else level.name or "(without a name)"


def reporter(body: object) -> AccountId:
    """Return who reported an issue of REST's JSON; empty: nobody."""
    found = msgspec.convert(body, _Issue).fields.reporter
    return AccountId("") if found is None else found.account


def comment(body: object) -> Comment:
    """Return a comment of REST's JSON."""
    found = msgspec.convert(body, _Comment)
    author = found.author or Person()
    last = found.updateAuthor or author
    return Comment(
        id=found.id,
        author=author.account,
        author_name=author.displayName or author.account,
        text=wiki(found.body),
        command=command_grammar.read(found.body),
        seems_meant=command_grammar.seems_meant(found.body),
        created=found.created,
        is_edited=found.updated != found.created or last.account != author.account,
        readers=_readers(found.visibility),
        is_internal=not found.jsdPublic,
        is_of_person=author.accountType in {"atlassian", ""},
    )


def _readers(visibility: dict[str, Any] | None) -> Confidential | None:
    if visibility is None:
        return None
    value = str(visibility.get("value") or visibility.get("identifier") or "")
    return Confidential(role=value) if visibility.get("type") == "role" else Confidential(group=value)


def _name(thing: _Named | None) -> str:
    return thing.name if thing is not None else ""
