"""What happened to a run, what was done for it, and what people had to do."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Moment(Struct, frozen=True, kw_only=True):
    """Something that happened, and what was decided about it."""

    at: datetime
    event: str
    verdict: str
    reason: str
    status_before: str | None
    status_after: str | None
    delivery: int | None
    effect: int | None


class Act(Struct, frozen=True, kw_only=True):
    """An effect and how it went."""

    id: int
    kind: str
    name: str
    """What was to be done, for people."""
    payload: dict[str, object]
    state: str
    attempts: int
    created_at: datetime
    performed_at: datetime | None
    last_error: str | None
    result: dict[str, object] | None
    """Whatever it answered; nothing reads facts out of it."""
    remark: str = ""
    """What people should know of how it went."""
    wanted_by: int | None
    """The decision; None: the sweep."""


class Intervention(Struct, frozen=True, kw_only=True):
    """Something that a person had to do."""

    at: datetime
    kind: str
    actor: str
    detail: str
