"""The inbox: each delivery is stored once, with its place in the queue, before it is acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import psycopg
from msgspec import Struct
from psycopg.types.json import Jsonb

from receiver.store.postgres.database import Database, StoreError
from receiver.store.postgres.queue import DELIVERIES, PROCESS_DELIVERY

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


ACCEPT = "SELECT id, repeated FROM accept_deliveries(%b, %b, %b, %b, %b, %b, %b, %s, %s) ORDER BY place"
"""`%b`: arrays travel in binary form; as text every body would be escaped twice, at ten times the cost."""


async def accept(database: Database, incoming: Incoming, *, secret: frozenset[str] = SECRET_HEADERS) -> Accepted:
    """Store a verified delivery and enqueue it, in one transaction; only after that may it be acknowledged.

    Deliveries that arrive together share the transaction, not the outcome.

    Headers named in `secret` (lowercase) are left out. Raises DatabaseDownError.
    """
    kept = {name.lower(): value for name, value in incoming.headers.items() if name.lower() not in secret}
    inbox = database.group(accept_all, hopeless=(DatabaseDownError,))
    return await inbox.submit(msgspec.structs.replace(incoming, headers=kept))


async def accept_all(database: Database, batch: Sequence[Incoming]) -> list[Accepted]:
    """Store and enqueue deliveries in one transaction and one round trip; all of them or none."""
    columns = (
        [one.source for one in batch],
        [one.key for one in batch],
        [one.ordering_key for one in batch],
        [one.kind for one in batch],
        [Jsonb(dict(one.headers)) for one in batch],
        [one.body for one in batch],
        [one.received_at for one in batch],
        DELIVERIES,
        PROCESS_DELIVERY,
    )
    try:
        rows = await _stored(database, columns)
    except psycopg.OperationalError:
        # Connections of a restarted server are dead. Once more on a new one: GitLab won't send the hook again, and what
        # was stored although its answer was lost is known by its key.
        try:
            rows = await _stored(database, columns)
        except (psycopg.OperationalError, OSError) as error:
            raise DatabaseDownError(str(error)) from error
    except OSError as error:
        raise DatabaseDownError(str(error)) from error
    return [Accepted(id=row[0], repeated=row[1]) for row in rows]


async def _stored(database: Database, columns: tuple[object, ...]) -> list[tuple[int, bool]]:
    async with database.direct() as connection:
        return await (await connection.execute(ACCEPT, columns)).fetchall()
