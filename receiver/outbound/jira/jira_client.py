"""Jira over the `jira` package: the ticket, comments, transitions, links. An adapter; REST version 2, wiki markup."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from jira import JIRA
from jira.exceptions import JIRAError
from msgspec import Struct

from pipelines.language import IssueKey
from pipelines.language.catalogue import Confidential
from receiver import limits
from receiver.outbound.errors import RefusedError
from receiver.outbound.jira import comment_pages, issues, label_search, status_history
from receiver.outbound.jira.issues import AttachedFile, Comment, Issue
from receiver.outbound.jira.label_search import LabelMove, LabelPage
from receiver.outbound.jira.status_history import StatusMove
from receiver.outbound.sdk_errors import stop_at_overload, translate_errors
from receiver.workflow.person import AccountId


class Transition(Struct, frozen=True, kw_only=True):
    """A transition that Jira offers to us."""

    id: str
    name: str
    to_status: str
    required: tuple[str, ...]
    """Names of fields that must be filled in and have no default."""


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
    size: int = 0
    items: tuple[_Named, ...] = ()


class _User(Struct, frozen=True):
    groups: _Groups = _Groups()


class JiraClient:
    """Jira as our bot sees it."""

    def __init__(self, url: str, *, user: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._user = user
        self._token = token

    @cached_property
    def _api(self) -> JIRA:
        # Made at first use: it asks Jira which edition it is. Retries are ours (max_retries=0: one attempt).
        auth: dict[str, Any] = {"basic_auth": (self._user, self._token)} if self._user else {"token_auth": self._token}
        with translate_errors("Jira", "connecting"):
            api = JIRA(self._url, timeout=limits.JIRA_ANSWER_S, max_retries=0, **auth)
        api._session.hooks["response"].append(stop_at_overload)  # noqa: SLF001  # the package has no other way
        return api

    def close(self) -> None:
        """Close all connections."""
        if "_api" in self.__dict__:
            self._api.close()  # type: ignore[no-untyped-call]  # the package leaves it so

    def identity(self) -> str:
        """Return the name of the account that the token belongs to."""
        with translate_errors("Jira", "asking whose token it is"):
            me = self._api.myself()
        return str(me.get("displayName") or me.get("name") or me.get("accountId"))

    def issue(self, key: IssueKey) -> Issue:
        """Return the ticket as it is now; what we wrote on it is left out."""
        with translate_errors("Jira", f"reading {key}"):
            body = self._api._get_json(f"issue/{key}", params={"fields": issues.FIELDS})  # noqa: SLF001  # its own objects can not hold documents
            comments = self._comments(key) if _parsed(issues.lacks_comments, body) else None
        return _parsed(issues.issue, body, url=self.url_of(key), own=self.account(), comments=comments)

    def labelled(
        self, project: str, label: str, *, minutes: int, start: int = 0, token: str | None = None
    ) -> LabelPage:
        """Return a page of the tickets that carry a label and were changed in the last minutes.

        Cloud names the next page by a token, Data Center by the number of tickets before it.
        """
        asked: dict[str, Any] = {
            "jql": label_search.query(project, label, minutes=minutes),
            "maxResults": limits.LABEL_PAGE,
            "fields": label_search.FIELDS,
            "expand": "changelog",
        }
        with translate_errors("Jira", f"searching for tickets labelled {label}"):
            api = self._api
            if api._is_cloud:  # noqa: SLF001  # the package's own search reads all fields of the instance first
                where, asked = "search/jql", asked | ({"nextPageToken": token} if token else {})
            else:
                where, asked = "search", asked | {"startAt": start}
            body = api._get_json(where, params=asked)  # noqa: SLF001  # as above
        return _parsed(label_search.page, body, label=label)

    def label_moves(self, key: str, labels: Iterable[str]) -> dict[str, LabelMove]:
        """Return the last time that each label was set on a ticket or taken off, by whom, as far as Jira says."""
        asked = {"fields": label_search.FIELDS, "expand": "changelog"}
        with translate_errors("Jira", f"reading who labelled {key}"):
            body = self._api._get_json(f"issue/{key}", params=asked)  # noqa: SLF001  # as above
        return _parsed(label_search.last_moves, body, labels=labels)

    def status_moves(self, key: str) -> list[StatusMove]:
        """Return a ticket's moves between statuses, the oldest first."""
        with translate_errors("Jira", f"reading how {key} moved"):
            api = self._api
            statuses = api._get_json("status")  # noqa: SLF001  # as above
            body = api._get_json(f"issue/{key}", params={"fields": "status", "expand": "changelog"})  # noqa: SLF001  # as above
        return _parsed(status_history.moves, body, done=_parsed(status_history.done_statuses, statuses))

    def security_level(self, key: IssueKey) -> str | None:
        """Return the name of the ticket's security level, empty when it has none; None when it is not shown to us.

        Jira says 404 of a ticket whose level does not include whoever asks.
        """
        with translate_errors("Jira", f"asking whether {key} is restricted"):
            try:
                body = self._api._get_json(f"issue/{key}", params={"fields": "security"})  # noqa: SLF001  # as above
            except JIRAError as error:
                if error.status_code in {403, 404}:
                    return None
                raise
        return _parsed(issues.security_level, body)

    def reporter(self, key: str) -> AccountId:
        """Return who reported a ticket, as Jira says now; empty: nobody."""
        with translate_errors("Jira", f"reading who reported {key}"):
            body = self._api._get_json(f"issue/{key}", params={"fields": "reporter"})  # noqa: SLF001  # as above
        return _parsed(issues.reporter, body)

    def account(self) -> AccountId:
        """Return the account that the token belongs to."""
        return self._account

    @cached_property
    def _account(self) -> AccountId:
        with translate_errors("Jira", "asking whose token it is"):
            return _parsed(issues.account, self._api.myself())

    def comment(self, key: str, comment: str) -> Comment | None:
        """Return the current state of a ticket's comment; None if no comment has that id."""
        with translate_errors("Jira", f"reading a comment on {key}"):
            try:
                body = self._api._get_json(f"issue/{key}/comment/{comment}")  # noqa: SLF001  # as above
            except JIRAError as error:
                if error.status_code == 404:
                    return None
                raise
        return _parsed(issues.comment, body)

    def content(self, file: AttachedFile, *, limit: int) -> bytes:
        """Return the bytes of a file on a ticket. Raises RefusedError when there are more than `limit`."""
        api = self._api
        if api._is_cloud:  # noqa: SLF001  # the package's own download trusts the address in the answer
            address = api._get_url(f"attachment/content/{quote(file.id, safe='')}")  # noqa: SLF001  # as above
        else:
            address = f"{self._url}/secure/attachment/{quote(file.id, safe='')}/{quote(file.name, safe='')}"
        with translate_errors("Jira", f"fetching {file.name}"), api._session.get(address, stream=True) as answer:  # noqa: SLF001  # as above
            content = bytearray()
            for chunk in answer.iter_content(64 * 1024):
                content += chunk
                if len(content) > limit:
                    raise RefusedError(f"{file.name} is larger than Jira said.")
        return bytes(content)

    def url_of(self, key: str) -> str:
        """Return the address of a ticket for people."""
        return f"{self._url}/browse/{key}"

    def groups_of(self, account: str) -> frozenset[str]:
        """Return the groups that a person is in; empty when Jira does not know the person."""
        api = self._api
        name = "accountId" if api._is_cloud else "key"  # noqa: SLF001  # the package's own look-up lacks `key`
        with translate_errors("Jira", f"reading the groups of {account}"):
            try:
                body = api._get_json("user", params={name: account, "expand": "groups"})  # noqa: SLF001  # as above
                groups = _parsed(msgspec.convert, body, type=_User).groups
                if groups.size > len(groups.items) and api._is_cloud:  # noqa: SLF001  # as above
                    listed = api._get_json("user/groups", params={name: account})  # noqa: SLF001  # as above
                    groups = _Groups(items=_parsed(msgspec.convert, listed, type=tuple[_Named, ...]))
            except JIRAError as error:
                if error.status_code == 404:
                    return frozenset()
                raise
        if groups.size > len(groups.items):
            raise RefusedError(f"Jira names {len(groups.items)} of the {groups.size} groups of {account} only.")
        return frozenset(group.name for group in groups.items)

    def add_comment(
        self, key: str, body: str, *, visibility: Confidential | None = None, is_internal: bool = False
    ) -> str:
        """Write a comment, visible to a role or group only where one is given, and return its id.

        `is_internal`: a service desk's customers don't see it.
        """
        visible = None if visibility is None else _visible(visibility)
        with translate_errors("Jira", f"commenting on {key}"):
            return str(self._api.add_comment(key, body, visibility=visible, is_internal=is_internal).id)

    def edit_comment(
        self, key: str, comment: str, body: str, *, visibility: Confidential | None = None, is_internal: bool = False
    ) -> bool:
        """Replace a comment's text and who sees it; False when somebody deleted it."""
        visible = None if visibility is None else _visible(visibility)
        with translate_errors("Jira", f"editing a comment on {key}"):
            try:
                self._api.comment(key, comment).update(body=body, visibility=visible, is_internal=is_internal)
            except JIRAError as error:
                if error.status_code == 404:
                    return False
                raise
        return True

    def comments_with(self, key: str, *, marker: str) -> list[str]:
        """Return our comments on a ticket that end with a marker, oldest first."""
        own, found = self.account(), self.comments(key)
        return [one.id for one in found if one.author == own and one.text.rstrip().endswith(marker)]

    def comments(self, key: str) -> list[Comment]:
        """Return all comments on a ticket, oldest first."""
        with translate_errors("Jira", f"reading the comments on {key}"):
            found = self._comments(key)
        return [_parsed(issues.comment, one) for one in found]

    def _comments(self, key: str) -> list[dict[str, Any]]:
        def page(start: int) -> object:
            asked = {"startAt": start, "maxResults": comment_pages.PAGE, "orderBy": "created"}
            return self._api._get_json(f"issue/{key}/comment", params=asked)  # noqa: SLF001  # its own makes one request

        return _parsed(comment_pages.read_all, page)

    def attachments(self, key: str) -> list[Attachment]:
        """Return the files on a ticket."""
        with translate_errors("Jira", f"reading the attachments of {key}"):
            found = self._api.issue(key, fields="attachment").fields.attachment
            me = self.account()
        return [
            Attachment(
                filename=one.filename,
                size=int(one.size),
                is_ours=issues.account(one.raw.get("author") or {}) == me,
            )
            for one in found
        ]

    def attach(self, key: str, *, filename: str, content: bytes) -> None:
        """Attach a file to a ticket."""
        with translate_errors("Jira", f"attaching {filename} to {key}"):
            self._api.add_attachment(key, io.BytesIO(content), filename=filename)

    def transitions(self, key: str) -> list[Transition]:
        """Return the transitions that Jira offers to us for a ticket, as it is now."""
        with translate_errors("Jira", f"reading the transitions of {key}"):
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
        with translate_errors("Jira", f"moving {key}"):
            self._api.transition_issue(key, transition)

    def mark(self, key: str, *, label: str, is_set: bool) -> None:
        """Set a label on a ticket, or take it off; others stay as they are."""
        operation = {"add" if is_set else "remove": label}
        with translate_errors("Jira", f"labelling {key}"):
            self._edit(key, {"update": {"labels": [operation]}})

    def assignee(self, key: str) -> AccountId:
        """Return who a ticket is assigned to; empty: nobody."""
        with translate_errors("Jira", f"reading who {key} is assigned to"):
            body = self._api._get_json(f"issue/{key}", params={"fields": "assignee"})  # noqa: SLF001  # as above
        return _parsed(issues.assignee, body)

    def assign(self, key: str, account: str) -> None:
        """Assign a ticket to a person: by account id on Cloud, by name on Data Center, which is asked for it."""
        with translate_errors("Jira", f"assigning {key}"):
            if self._api._is_cloud:  # noqa: SLF001  # as above
                who = {"accountId": account}
            else:
                body = self._api._get_json("user", params={"key": account})  # noqa: SLF001  # as above
                who = {"name": _parsed(msgspec.convert, body, type=_Named).name}
            self._edit(key, {"fields": {"assignee": who}})

    def _edit(self, key: str, data: dict[str, Any]) -> None:
        # not Issue.update(): it reads the whole issue before and after
        address = self._api._get_url(f"issue/{key}")  # noqa: SLF001  # as above
        self._api._session.put(address, data=json.dumps(data))  # noqa: SLF001  # as above

    def link(self, key: str, *, global_id: str, url: str, title: str) -> None:
        """Put a remote link on a ticket; the one with the same id is replaced."""
        data = {"globalId": global_id, "object": {"url": url, "title": title}}
        with translate_errors("Jira", f"linking {key}"):
            # not add_remote_link(): it lists application links first, which takes an administrator
            address = self._api._get_url(f"issue/{key}/remotelink")  # noqa: SLF001  # see above
            self._api._session.post(address, data=json.dumps(data))  # noqa: SLF001  # see above


def _visible(visibility: Confidential) -> dict[str, str]:
    if visibility.role:
        return {"type": "role", "value": visibility.role}
    return {"type": "group", "value": visibility.group or ""}


T = TypeVar("T")


def _parsed(parse: Callable[..., T], body: Any, **more: Any) -> T:  # noqa: ANN401  # whatever the parser takes
    try:
        return parse(body, **more)
    except msgspec.ValidationError as error:
        raise RefusedError(f"Jira's answer has a wrong shape: {error}") from error
