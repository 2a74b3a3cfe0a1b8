"""Read a verified delivery: its event, its keys. Performs no I/O; the same delivery always gives the same reading."""

from __future__ import annotations

import hashlib
from typing import assert_never

import msgspec

from receiver.hooks import gitlab, jira
from receiver.hooks.delivery import (
    OVERTAKES,
    Delivery,
    HookMeaning,
    Interests,
    Reading,
    Source,
    key_of_header,
    key_of_meaning,
)
from receiver.hooks.payload_fields import decode, envelope
from receiver.workflow.commands import command_table
from receiver.workflow.events.event import Event
from receiver.workflow.events.message_events import CommandTyped
from receiver.workflow.events.run_events import NotInteresting
from receiver.workflow.events.ticket_events import StartRequested


def read(delivery: Delivery, *, interests: Interests) -> Reading:
    """Return what a delivery means: nothing for a vendor's body in a shape that we don't know.

    Raises NotJsonError, and WrongShapeError that names the field of an operator's request.
    """
    match delivery.source:
        case Source.GITLAB:
            return _keyed(delivery, gitlab.read(delivery.body, interests=interests))
        case Source.JIRA:
            return _keyed(delivery, jira.read(delivery.body, interests=interests))
        case Source.OPERATOR:
            return _keyed(delivery, _asked(delivery.body))
        case never:
            assert_never(never)


class _Asked(msgspec.Struct, frozen=True):
    type: str = ""


def _asked(body: bytes) -> HookMeaning:
    """Return what an operator asks for."""
    kind = decode(body, _Asked, what="request").type
    if kind != CommandTyped.__name__:
        started = decode(body, StartRequested, what="request")
        return HookMeaning(kind="start", event=started, subject=f"ticket:{started.issue_key}")
    typed = decode(body, CommandTyped, what="request")
    ahead = OVERTAKES if command_table.overtakes(typed.command) else ""
    return HookMeaning(kind="command", event=typed, subject=f"{ahead}ticket:{typed.issue_key}")


VENDOR_KEYS = {
    Source.GITLAB: ("webhook-id", "idempotency-key"),
    Source.JIRA: (),
    Source.OPERATOR: ("idempotency-key",),
}
"""Headers that are equal when a delivery is sent again.

Jira's `X-Atlassian-Webhook-Identifier` is too, but the signature does not cover it: somebody who recorded a signed hook
could send it as a new one. Its bodies differ by their `timestamp` in milliseconds instead.
Never `X-Gitlab-Webhook-UUID` (new at each send) nor `X-Gitlab-Event-UUID` (shared by all that one event caused).
"""


def _keyed(delivery: Delivery, meaning: HookMeaning) -> Reading:
    given = next((delivery.headers[h] for h in VENDOR_KEYS[delivery.source] if delivery.headers.get(h)), None)
    key = key_of_header(given) if given else _key_without_header(delivery, meaning.event)
    # what has no subject waits for nothing and nothing waits for it
    ordering_key = meaning.subject or f"delivery:{key}"
    return Reading(event=meaning.event, kind=meaning.kind, delivery_key=key, ordering_key=ordering_key)


def _key_without_header(delivery: Delivery, event: Event) -> str:
    """Return a key made of signed content only: the meaning with the body's own time, else the whole body.

    The time distinguishes a label that was set again from the same hook sent again. A Jira body without a time, and any
    body without a meaning, equals only itself; GitLab's events carry their own times.
    """
    own = key_of_meaning(hashlib.sha256(delivery.body).digest())
    if isinstance(event, NotInteresting):
        return own
    found = envelope(delivery.body, _Stamp, what="hook")
    stamp = found.timestamp if isinstance(found, _Stamp) else None
    if delivery.source is Source.JIRA and stamp is None:
        return own
    # nobody can tell first, with another secret, what a project is about to tell, and make its own hook a repetition
    secret = () if delivery.speaks_for is None else (delivery.speaks_for,)
    return key_of_meaning(msgspec.json.encode((event, stamp, *secret), order="deterministic"))


class _Stamp(msgspec.Struct, frozen=True, kw_only=True):
    timestamp: int | float | str | None = None
    """Jira's time of the change, in milliseconds."""
