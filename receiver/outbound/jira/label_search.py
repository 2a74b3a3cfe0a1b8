"""What Jira's search says of tickets that carry a label: who set it, and when. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from pipelines.language import IssueKey
from receiver.outbound.jira.issues import Person
from receiver.workflow.person import AccountId

FIELDS: Final = "labels,creator,created,updated"


class LabelSet(Struct, frozen=True, kw_only=True):
    """A label that a ticket carries, as it was last set."""

    issue_key: IssueKey
    actor: AccountId
    actor_name: str
    at: datetime


class LabelMove(Struct, frozen=True, kw_only=True):
    """The last time that a ticket got a label, or lost it."""

    is_set: bool
    actor: AccountId
    """Empty: Jira does not say."""
    actor_name: str
    at: datetime


class LabelPage(Struct, frozen=True, kw_only=True):
    """One page of a search."""

    found: tuple[LabelSet, ...]
    """Tickets of which Jira says who set the label."""
    changed: tuple[tuple[IssueKey, datetime], ...]
    """All tickets of the page, and when each was last changed; the longest unchanged first."""
    token: str | None
    """Cloud's name of the next page; None: this is the last, or Data Center."""
    is_last: bool
    """No page follows. The number of tickets does not tell: a Jira may give fewer than it was asked for."""


class _Item(Struct, frozen=True):
    field: str = ""
    fromString: str | None = None  # noqa: N815  # Jira's name
    toString: str | None = None  # noqa: N815  # Jira's name


class _Entry(Struct, frozen=True):
    created: str
    author: Person | None = None
    items: list[_Item] = []


class _Changelog(Struct, frozen=True):
    histories: list[_Entry] = []
    total: int = 0


class _Fields(Struct, frozen=True):
    created: str
    updated: str
    labels: list[str] | None = None
    creator: Person | None = None


class _Issue(Struct, frozen=True):
    key: str
    fields: _Fields
    changelog: _Changelog = _Changelog()


class _Answer(Struct, frozen=True):
    issues: list[_Issue] = []
    nextPageToken: str | None = None  # noqa: N815  # Jira's name
    startAt: int = 0  # noqa: N815  # Jira's name
    total: int | None = None
    """Of Data Center: how many tickets all pages have."""


def query(project: str, label: str, *, minutes: int) -> str:
    """Return the JQL for tickets with a label that were changed lately, the longest unchanged first.

    A relative time, because Jira reads an absolute one in the time zone of whoever asks.
    """
    return f'project = "{project}" AND labels = "{label}" AND updated >= "-{minutes}m" ORDER BY updated ASC'


def page(body: object, *, label: str) -> LabelPage:
    """Return what an answer says. Raises msgspec.ValidationError."""
    answer = msgspec.convert(body, _Answer)
    found = (_last_set(issue, label) for issue in answer.issues)
    return LabelPage(
        found=tuple(one for one in found if one is not None),
        changed=tuple((IssueKey(issue.key), _moment(issue.fields.updated)) for issue in answer.issues),
        token=answer.nextPageToken,
        is_last=_is_last(answer),
    )


def _is_last(answer: _Answer) -> bool:
    if answer.total is None:
        return answer.nextPageToken is None
    return not answer.issues or answer.startAt + len(answer.issues) >= answer.total


def last_moves(body: object, labels: Iterable[str]) -> dict[str, LabelMove]:
    """Return the last move of each label of an issue; one of which the changelog says nothing is left out.

    Raises msgspec.ValidationError.
    """
    histories = msgspec.convert(body, _Issue).changelog.histories
    found: dict[str, LabelMove] = {}
    for entry in sorted(histories, key=lambda one: _moment(one.created)):
        who = entry.author or Person()
        for label in labels:
            adds, removes = ([_adds(one, label) for one in entry.items], [_removes(one, label) for one in entry.items])
            if any(adds) or any(removes):
                name = who.displayName or str(who.account)
                at = _moment(entry.created)
                found[label] = LabelMove(is_set=any(adds), actor=who.account, actor_name=name, at=at)
    return found


def _last_set(issue: _Issue, label: str) -> LabelSet | None:
    """Return who set the label last; a ticket that was created with it has no entry about that."""
    if label not in (issue.fields.labels or ()):
        return None
    entries = [
        (entry.created, entry.author)
        for entry in issue.changelog.histories
        if any(_adds(item, label) for item in entry.items)
    ]
    is_whole = issue.changelog.total <= len(issue.changelog.histories)
    if not entries and is_whole:
        entries = [(issue.fields.created, issue.fields.creator)]
    at, who = max(((_moment(created), person) for created, person in entries), default=(None, None), key=lambda e: e[0])
    if at is None or who is None or not who.account:
        return None
    name = who.displayName or str(who.account)
    return LabelSet(issue_key=IssueKey(issue.key), actor=who.account, actor_name=name, at=at)


def _adds(item: _Item, label: str) -> bool:
    return item.field == "labels" and label in set((item.toString or "").split(" ")) - set(
        (item.fromString or "").split(" ")
    )


def _removes(item: _Item, label: str) -> bool:
    return _adds(_Item(field=item.field, fromString=item.toString, toString=item.fromString), label)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
