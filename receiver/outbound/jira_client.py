"""Jira over the `jira` package: the ticket, comments, transitions, links. An adapter; REST version 2, wiki markup."""

from __future__ import annotations

import io
import json
from functools import cached_property
from typing import Any

import msgspec
from jira import JIRA
from jira.exceptions import JIRAError
from msgspec import Struct

from pipelines.model import IssueKey
from pipelines.wire import Ticket, TicketComment
from receiver.outbound.errors import stop_at_overload, told

TIMEOUT = 20.0
"""Seconds until Jira has to answer."""

FIELDS = "summary,description,issuetype,priority,components,labels,reporter,status,comment"


class Transition(Struct, frozen=True, kw_only=True):
    """A transition that Jira offers to us."""

    id: str
    name: str
    to_status: str
    required: tuple[str, ...]
    """Names of fields that must be filled in and have no default."""


class Issue(Struct, frozen=True, kw_only=True):
    """The ticket, and what is only ours to know."""

    ticket: Ticket
    status: str


class Attachment(Struct, frozen=True, kw_only=True):
    """A file on a ticket."""

    filename: str
    size: int
    """Bytes."""
    is_ours: bool
    """Our bot attached it."""


class _Named(Struct, frozen=True):
    name: str = ""


class _Status(Struct, frozen=True):
    name: str


class _TransitionField(Struct, frozen=True):
    name: str = ""
    required: bool = False
    hasDefaultValue: bool = False  # noqa: N815  # Jira's name


class _Transition(Struct, frozen=True):
    id: str
    name: str
    to: _Status
    fields: dict[str, _TransitionField] = {}


class _Groups(Struct, frozen=True):
    items: tuple[_Named, ...] = ()


class _User(Struct, frozen=True):
    groups: _Groups = _Groups()


class Jira:
    """Jira as our bot sees it."""

    def __init__(self, url: str, *, user: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._user = user
        self._token = token

    @cached_property
    def _api(self) -> JIRA:
        # Made at first use: it asks Jira which edition it is. Retries are ours (max_retries=0: one attempt).
        auth: dict[str, Any] = {"basic_auth": (self._user, self._token)} if self._user else {"token_auth": self._token}
        with told("Jira", "connecting"):
            api = JIRA(self._url, timeout=TIMEOUT, max_retries=0, **auth)
        api._session.hooks["response"].append(stop_at_overload)  # noqa: SLF001  # the package has no other way
        return api

    def close(self) -> None:
        """Close all connections."""
        if "_api" in self.__dict__:
            self._api.close()  # type: ignore[no-untyped-call]  # the package leaves it so

    def identity(self) -> str:
        """Return the name of the account that the token belongs to."""
        with told("Jira", "asking whose token it is"):
            me = self._api.myself()
        return str(me.get("displayName") or me.get("name") or me.get("accountId"))

    def issue(self, key: IssueKey) -> Issue:
        """Return the ticket as it is now."""
        with told("Jira", f"reading {key}"):
            found = self._api.issue(key, fields=FIELDS)
        fields = found.fields
        comments = getattr(getattr(fields, "comment", None), "comments", None) or []
        ticket = Ticket(
            key=IssueKey(found.key),
            summary=fields.summary or "",
            description=fields.description or "",
            issue_type=_name(fields.issuetype),
            priority=_name(fields.priority),
            components=tuple(_name(component) for component in fields.components or ()),
            labels=tuple(fields.labels or ()),
            reporter=getattr(fields.reporter, "displayName", "") if fields.reporter else "",
            url=self.url_of(key),
            comments=tuple(
                TicketComment(
                    author=getattr(getattr(comment, "author", None), "displayName", ""),
                    body=comment.body or "",
                    created=comment.created,
                )
                for comment in comments
            ),
        )
        return Issue(ticket=ticket, status=_name(fields.status))

    def url_of(self, key: str) -> str:
        """Return the address of a ticket for people."""
        return f"{self._url}/browse/{key}"

    def groups_of(self, account: str) -> frozenset[str]:
        """Return the groups that a person is in; empty when Jira does not know the person."""
        api = self._api
        name = "accountId" if api._is_cloud else "key"  # noqa: SLF001  # the package's own look-up lacks `key`
        with told("Jira", f"reading the groups of {account}"):
            try:
                body = api._get_json("user", params={name: account, "expand": "groups"})  # noqa: SLF001  # as above
            except JIRAError as error:
                if error.status_code == 404:
                    return frozenset()
                raise
        return frozenset(group.name for group in msgspec.convert(body, _User).groups.items)

    def add_comment(self, key: str, body: str) -> str:
        """Write a comment and return its id."""
        with told("Jira", f"commenting on {key}"):
            return str(self._api.add_comment(key, body).id)

    def edit_comment(self, key: str, comment: str, body: str) -> bool:
        """Replace a comment's text; False when somebody deleted it."""
        with told("Jira", f"editing a comment on {key}"):
            try:
                self._api.comment(key, comment).update(body=body)
            except JIRAError as error:
                if error.status_code == 404:
                    return False
                raise
        return True

    def comments_with(self, key: str, *, marker: str) -> list[str]:
        """Return the comments on a ticket that hold a marker, oldest first."""
        with told("Jira", f"reading the comments on {key}"):
            return [str(comment.id) for comment in self._api.comments(key) if marker in (comment.body or "")]

    def attachments(self, key: str) -> list[Attachment]:
        """Return the files on a ticket."""
        with told("Jira", f"reading the attachments of {key}"):
            found = self._api.issue(key, fields="attachment").fields.attachment
            me = _account(self._api.myself())
        return [
            Attachment(
                filename=one.filename,
                size=int(one.size),
                is_ours=_account(one.raw.get("author") or {}) == me,
            )
            for one in found
        ]

    def attach(self, key: str, *, filename: str, content: bytes) -> None:
        """Attach a file to a ticket."""
        with told("Jira", f"attaching {filename} to {key}"):
            self._api.add_attachment(key, io.BytesIO(content), filename=filename)

    def transitions(self, key: str) -> list[Transition]:
        """Return the transitions that Jira offers to us for a ticket, as it is now."""
        with told("Jira", f"reading the transitions of {key}"):
            offered = self._api.transitions(key, expand="transitions.fields")
        return [
            Transition(
                id=one.id,
                name=one.name,
                to_status=one.to.name,
                required=tuple(f.name or n for n, f in one.fields.items() if f.required and not f.hasDefaultValue),
            )
            for one in msgspec.convert(offered, list[_Transition])
        ]

    def transition(self, key: str, transition: str) -> None:
        """Move a ticket by a transition's id."""
        with told("Jira", f"moving {key}"):
            self._api.transition_issue(key, transition)

    def link(self, key: str, *, global_id: str, url: str, title: str) -> None:
        """Put a remote link on a ticket; the one with the same id is replaced."""
        data = {"globalId": global_id, "object": {"url": url, "title": title}}
        with told("Jira", f"linking {key}"):
            # not add_remote_link(): it lists application links first, which takes an administrator
            address = self._api._get_url(f"issue/{key}/remotelink")  # noqa: SLF001  # see above
            self._api._session.post(address, data=json.dumps(data))  # noqa: SLF001  # see above


def _account(person: dict[str, Any]) -> str:
    """Return what stands for a person: an account id (Cloud) or a user key (Data Center)."""
    return str(person.get("accountId") or person.get("key") or person.get("name") or "")


def _name(thing: object) -> str:
    return str(getattr(thing, "name", "") or "")
