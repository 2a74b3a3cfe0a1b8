"""Connections that wait for the other side: until when a request is here, or an answer is read, and how many may wait.

uvicorn has a time limit for connections that are kept between two requests only, and counts silent connections among
those of `limit_concurrency`. So whoever opened a thousand connections and said nothing had everybody else answered 503.
Nor does it limit how long an answer may lie unread, or how many requests a connection sends ahead.
"""

from __future__ import annotations

import asyncio
import ipaddress
from functools import lru_cache
from typing import Final, Generic, TypeVar

import structlog
from msgspec import Struct
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from receiver import limits

log = structlog.get_logger()

C = TypeVar("C")

IPV6_SITE: Final = 64
"""Bits of an IPv6 address that say whose it is; the others are anybody's choice."""


class Patience(Struct, frozen=True, kw_only=True):
    """How long senders and readers are waited for, and how many of them."""

    head_s: float = limits.REQUEST_HEAD_S
    body_s: float = limits.REQUEST_BODY_S
    unread_s: float = limits.ANSWER_UNREAD_S
    pipelined: int = limits.PIPELINED
    of_address: int = limits.WAITING_OF_ADDRESS
    in_all: int = limits.WAITING_IN_ALL


class Tally(Struct):
    """Connections that were closed since the log was told of some."""

    count: int = 0
    told_again: float = 0.0
    """From when on the log is told again, by the event loop's clock."""


class WaitingRoom(Generic[C]):
    """Connections that wait for their senders, by address. When there are too many, the one that waits longest goes.

    Never the one that came last: whoever sends at once is served, however many others say nothing.
    """

    def __init__(self, *, of_address: int, in_all: int) -> None:
        self._of_address = of_address
        self._in_all = in_all
        self._waiting: dict[str, dict[C, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return self._count

    def enter(self, connection: C, address: str) -> C | None:
        """Let a connection wait; return the one that has to go for it, which waits no longer. None: there is room."""
        there = self._waiting.setdefault(address, {})
        if connection in there:
            return None
        gone = None
        if len(there) >= self._of_address:
            gone = next(iter(there))
            self.leave(gone, address)
        elif self._count >= self._in_all:
            fullest = max(self._waiting, key=lambda one: len(self._waiting[one]))
            gone = next(iter(self._waiting[fullest]))
            self.leave(gone, fullest)
        self._waiting.setdefault(address, {})[connection] = None
        self._count += 1
        return gone

    def leave(self, connection: C, address: str) -> None:
        """Note that a connection waits no longer; does nothing when it did not."""
        there = self._waiting.get(address, {})
        if connection not in there:
            return
        del there[connection]
        self._count -= 1
        if not there:
            del self._waiting[address]


@lru_cache(maxsize=4096)
def sender(host: str) -> str:
    """Return whose address this is: of an IPv6 address the network, which one sender has to itself."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:  # a socket of the machine, for example
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_SITE), strict=False))


def protocol(patience: Patience) -> type[HttpToolsProtocol]:
    """Return the protocol of a server's connections, which share one waiting room."""
    room: WaitingRoom[_PatientProtocol] = WaitingRoom(of_address=patience.of_address, in_all=patience.in_all)
    return type("PatientProtocol", (_PatientProtocol,), {"patience": patience, "room": room, "tally": Tally()})


class _TooManyRequestsError(Exception):
    """Makes the parser leave the rest of what arrived."""


class _PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol; between requests, while one arrives and while an answer is not read, it waits in the room."""

    patience: Patience
    room: WaitingRoom[_PatientProtocol]
    tally: Tally
    _sender = ""
    _overdue: asyncio.TimerHandle | None = None
    """Ends the connection when the head or the body that it is about is not here in time."""
    _unread: asyncio.TimerHandle | None = None
    """Ends the connection when what was written is not taken in time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # pause_writing tells of everything that the system did not take
        self._sender = sender(self.client[0] if self.client else "")
        self._wait(self.patience.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_unread()
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing():
            self._stop_waiting()
        elif not self._is_served():
            self._wait(self.patience.head_s if self._wants_head() else self.patience.body_s)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._forget_deadline()  # that of the head; the body has its own
        if len(self.pipeline) > self.patience.pipelined:
            self.end("too many requests at once")
            raise _TooManyRequestsError

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stop_waiting()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and not self._is_served():
            self._enter()  # without a deadline: uvicorn's own for connections that are kept

    def pause_writing(self) -> None:
        super().pause_writing()
        self._forget_unread()
        self._unread = self.loop.call_later(self.patience.unread_s, self.end, "answer not read")
        self._enter()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_unread()
        if self._is_served():
            self._stop_waiting()

    def _wants_head(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _is_served(self) -> bool:
        """Say whether a request is here in full and not answered yet."""
        return not self._wants_head() and not self.cycle.more_body

    def _wait(self, seconds: float) -> None:
        self._enter()
        if self._overdue is None:  # a sender who trickles does not get more time
            self._overdue = self.loop.call_later(seconds, self.end, "too slow")

    def _enter(self) -> None:
        gone = self.room.enter(self, self._sender)
        if gone is not None:
            gone.end("too many wait")

    def end(self, why: str) -> None:
        """Close the connection without an answer, or without the rest of one."""
        unread = self._unread is not None  # else a transport that is closing is as good as closed
        self._forget_unread()
        self._stop_waiting()
        if self.transport.is_closing() and not unread:
            return
        self.transport.abort()
        self.tally.count += 1
        if self.loop.time() >= self.tally.told_again:
            count, waiting = self.tally.count, len(self.room)
            log.warning("connections.ended", count=count, last=why, sender=self._sender, waiting=waiting)
            self.tally.count, self.tally.told_again = 0, self.loop.time() + limits.ENDED_TOLD_S

    def _stop_waiting(self) -> None:
        if self._unread is None:
            self.room.leave(self, self._sender)
        self._forget_deadline()

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _forget_deadline(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
