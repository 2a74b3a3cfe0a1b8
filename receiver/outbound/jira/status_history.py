"""The moves of an issue between statuses, with the statuses' categories: parses Jira's answers, asks for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

DONE = "done"
"""The key of the category of statuses in which nothing is left to do; names of statuses are a team's own."""


class StatusMove(Struct, frozen=True, kw_only=True):
    """An issue went from a status to another."""

    at: datetime
    was_done: bool
    is_done: bool


class _Category(Struct, frozen=True):
    key: str


class _Status(Struct, frozen=True):
    id: str
    statusCategory: _Category  # noqa: N815  # Jira's name


class _Item(Struct, frozen=True):
    field: str = ""
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None


class _Entry(Struct, frozen=True):
    created: str
    items: list[_Item] = []


class _Changelog(Struct, frozen=True):
    histories: list[_Entry] = []


class _Issue(Struct, frozen=True):
    changelog: _Changelog = _Changelog()


def done_statuses(body: object) -> frozenset[str]:
    """Return the ids of the statuses of the category *done*. Raises msgspec.ValidationError."""
    found = msgspec.convert(body, list[_Status])
    return frozenset(one.id for one in found if one.statusCategory.key == DONE)


def moves(body: object, *, done: frozenset[str]) -> list[StatusMove]:
    """Return an issue's moves between statuses, the oldest first. Raises msgspec.ValidationError."""
    entries = msgspec.convert(body, _Issue).changelog.histories
    found = [
        StatusMove(at=_moment(entry.created), was_done=item.from_ in done, is_done=item.to in done)
        for entry in entries
        for item in entry.items
        if item.field == "status"
    ]
    return sorted(found, key=lambda one: one.at)


def left_done(found: Iterable[StatusMove], *, after: datetime, until: datetime) -> datetime | None:
    """Return when an issue first left the category *done* within a time; None: it did not."""
    return next((one.at for one in found if after < one.at <= until and one.was_done and not one.is_done), None)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
