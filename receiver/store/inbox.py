"""The inbox: each delivery is stored once, with its place in the queue, before it is acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import psycopg
from msgspec import Struct
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from receiver.store.database import Database, StoreError, lock
from receiver.store.queue import enqueue_delivery
from receiver.store.schema import DeliveryRow

SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "webhook-signature", "x-gitlab-token", "x-hub-signature"}
)


class DatabaseDownError(StoreError):
    """The database can't be reached; nothing was stored. Send the delivery again."""


class Accepted(Struct, frozen=True, kw_only=True):
    """A delivery is stored."""

    id: int
    repeated: bool
    """It was here already: the vendor sent it again."""


class Incoming(Struct, frozen=True, kw_only=True):
    """A verified delivery as it came, ready to be stored."""

    source: str
    """`gitlab`, `jira` or `operator`."""
    key: str
    """The same for every sending of one delivery, and for no other."""
    ordering_key: str
    """Deliveries with the same ordering key are handled one after the other."""
    kind: str
    """The vendor's name of the event."""
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


async def accept(database: Database, incoming: Incoming, *, secret: frozenset[str] = SECRET_HEADERS) -> Accepted:
    """Store a verified delivery and enqueue it, in one transaction; only after that may it be acknowledged.

    Headers named in `secret` (lowercase) are left out. Raises DatabaseDownError.
    """
    kept = {name.lower(): value for name, value in incoming.headers.items() if name.lower() not in secret}
    try:
        async with database.begin() as session:
            # Without this lock, a transaction that began first but commits last would be handled second.
            await lock(session, f"delivery:{incoming.ordering_key}")
            row = insert(DeliveryRow).values(
                source=incoming.source,
                key=incoming.key,
                ordering_key=incoming.ordering_key,
                kind=incoming.kind,
                headers=kept,
                body=incoming.body,
                received_at=incoming.received_at,
            )
            stored = await session.scalar(row.on_conflict_do_nothing().returning(DeliveryRow.id))
            if stored is not None:
                await enqueue_delivery(session, stored, ordering_key=incoming.ordering_key)
                return Accepted(id=stored, repeated=False)
            again = update(DeliveryRow).where(DeliveryRow.key == incoming.key)
            counted = again.values(times_received=DeliveryRow.times_received + 1).returning(DeliveryRow.id)
            return Accepted(id=(await session.execute(counted)).scalar_one(), repeated=True)
    except (DBAPIError, psycopg.OperationalError, TimeoutError, OSError) as error:
        raise DatabaseDownError(str(error)) from error
