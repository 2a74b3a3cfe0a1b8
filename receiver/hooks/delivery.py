"""A verified delivery, the result of reading it, and the errors of this package. Performs no I/O."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from pipelines.language.catalogue import Catalogue
from receiver.workflow.events.event import Event
from receiver.workflow.events.message_events import CommandTyped
from receiver.workflow.events.run_events import NotInteresting
from receiver.workflow.events.ticket_events import StartRequested
from receiver.workflow.person import AccountId


class Source(StrEnum):
    """Who sent a delivery."""

    GITLAB = "gitlab"
    JIRA = "jira"
    OPERATOR = "operator"
    """An operator at the command line, who has access to the database anyway."""


class HookError(Exception):
    """A hook can't be accepted."""


class SignatureError(HookError):
    """The hook's sender could not be verified; the message says what was missing, never a secret."""


class NotJsonError(HookError):
    """The hook's body is no JSON object, or one that no vendor sends; the message says what it is."""


class WrongShapeError(HookError):
    """The hook's body has a shape that we don't know; the message names the field."""


KEPT_HEADERS: Final = frozenset(
    {
        "content-type",
        "user-agent",
        "idempotency-key",
        "webhook-id",
        "webhook-timestamp",
        "x-gitlab-event",
        "x-gitlab-event-uuid",
        "x-gitlab-webhook-uuid",
        "x-gitlab-instance",
        "x-atlassian-webhook-identifier",
        "x-atlassian-webhook-flow",
        "x-atlassian-webhook-retry",
    }
)
"""Stored with a delivery. Never a secret and never a signature."""

SPEAKS_FOR: Final = "bug-fix-speaks-for"
"""Stored with a delivery of GitLab, by us and not by its sender: groups and projects of the secret that proved it."""

MAX_HEADER: Final = 1_000
"""Characters kept of a header's value."""

OVERTAKES: Final = "now:"
"""Begins the ordering key of a delivery that waits for no other of its subject: it says to cancel, or to escalate."""

_PROOF: Final = object()
"""Private to this package: only code that holds it can make a Delivery."""


class Delivery:
    """One verified HTTP hook request. Made by `verify_gitlab`, `verify_jira`, `asked_by_operator` or `stored` only."""

    __slots__ = ("body", "headers", "kind", "received_at", "source", "speaks_for")

    def __init__(
        self,
        *,
        source: Source,
        headers: Mapping[str, str],
        body: bytes,
        received_at: datetime,
        proof: object,
        speaks_for: tuple[str, ...] | None = None,
    ) -> None:
        if proof is not _PROOF:
            raise TypeError("A Delivery is made by verifying a request, see receiver.hooks.signatures.")
        self.source = source
        self.body = body
        """As it came, to the byte."""
        self.received_at = received_at
        self.headers = {k.lower(): clean(v, MAX_HEADER) for k, v in headers.items() if k.lower() in KEPT_HEADERS}
        """Lowercase names; without secrets and signatures."""
        self.speaks_for = speaks_for
        """Groups and projects of the secret that proved a hook of GitLab; None: another source or version."""
        if speaks_for is not None:
            self.headers[SPEAKS_FOR] = " ".join(speaks_for)
        self.kind = self.headers.get("x-gitlab-event", "")
        """The vendor's name of the event as far as headers tell; `Reading.kind` tells it from the body."""

    @classmethod
    def stored(cls, *, source: Source, headers: Mapping[str, str], body: bytes, received_at: datetime) -> Delivery:
        """Return a delivery from the inbox: it was verified before it was stored. For the store only."""
        told = headers.get(SPEAKS_FOR)
        speaks_for = None if told is None else tuple(told.split())
        return cls(
            source=source, headers=headers, body=body, received_at=received_at, proof=_PROOF, speaks_for=speaks_for
        )

    @classmethod
    def asked_by_operator(cls, request: StartRequested | CommandTyped, *, request_id: str, now: datetime) -> Delivery:
        """Return the delivery for an operator's request at the command line."""
        headers = {"idempotency-key": request_id}
        body = msgspec.json.encode(request)
        return cls(source=Source.OPERATOR, headers=headers, body=body, received_at=now, proof=_PROOF)


def verified(
    *,
    source: Source,
    headers: Mapping[str, str],
    body: bytes,
    received_at: datetime,
    speaks_for: tuple[str, ...] | None = None,
) -> Delivery:
    """Return the delivery of a request whose signature was just verified. For `signatures` only."""
    return Delivery(
        source=source, headers=headers, body=body, received_at=received_at, proof=_PROOF, speaks_for=speaks_for
    )


class Interests(Struct, frozen=True, kw_only=True):
    """What the receiver listens for."""

    label: str
    """The ticket label that starts a run."""
    jira_project: str
    """Tickets of other projects are ignored."""
    bot: int | None = None
    """GitLab user id of our bot, whose notes are ignored; None: unknown, only the hidden marker identifies them."""
    jira_account: AccountId | None = None
    """Our account in Jira, whose comments are ignored; None: unknown, as above."""

    @classmethod
    def of(cls, catalogue: Catalogue, *, bot: int | None = None, jira_account: AccountId | None = None) -> Interests:
        """Return the interests of a catalogue."""
        jira = catalogue.jira
        return cls(label=jira.start.label, jira_project=jira.project, bot=bot, jira_account=jira_account)


class HookMeaning(Struct, frozen=True, kw_only=True):
    """The content of a body, before keys are assigned."""

    kind: str
    """The vendor's name of the event, for example `pipeline` or `jira:issue_updated`."""
    event: Event
    subject: str | None
    """Deliveries with the same key are handled in order; None: any order."""


def not_understood(kind: str, error: WrongShapeError) -> HookMeaning:
    """Return the meaning of a body whose shape we don't know.

    Vendors' shapes differ by version, and GitLab stops sending hooks that are answered with errors.
    """
    reason = f"The hook was not understood, so nothing follows from it. {error}"
    return HookMeaning(kind=kind, event=NotInteresting(reason=reason), subject=None)


class Reading(Struct, frozen=True, kw_only=True):
    """What a delivery means, and the keys that identify and order it."""

    event: Event
    kind: str
    """The vendor's name of the event, for example `pipeline` or `jira:issue_updated`."""
    delivery_key: str
    """Equal for every sending of this delivery, unique among those of its source."""
    ordering_key: str
    """Deliveries with the same key are handled in the order of their arrival.

    A ticket, a merge request, or a parent pipeline with its children. Jobs name only their own pipeline, so a run's
    deliveries can have several keys; across them order does not matter, because what is known of a run only grows
    (`receiver.store.run.fold`) and each decision is made under the run's row lock.
    """


_PLAIN_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Characters that PostgreSQL or a terminal can't take; tab and line feed are kept."""


def clean(text: str, limit: int) -> str:
    """Return text without control characters, cut to `limit` characters."""
    return _CONTROL.sub("", text[: 2 * limit])[:limit]


def key_of_header(value: str) -> str:
    """Return the delivery key for a vendor's idempotency key, which may hold any characters."""
    return value if _PLAIN_KEY.fullmatch(value) else f"sha256-{hashlib.sha256(value.encode()).hexdigest()}"


def key_of_meaning(meaning: bytes) -> str:
    """Return the delivery key where the vendor's version sends no idempotency key."""
    return f"meaning-{hashlib.sha256(meaning).hexdigest()}"
