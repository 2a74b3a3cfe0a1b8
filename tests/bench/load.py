"""Send prepared HTTP requests over keep-alive connections as fast as answers come, or at a rate. Prepares nothing.

Requests are whole byte strings made before the clock starts, and answers are read as far as needed to know where they
end: what the generator costs is measured and told beside what it found.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct


class Shot(Struct, frozen=True, kw_only=True):
    """One request, ready to be written."""

    head: bytes
    """Request line and headers, with the empty line."""
    body: bytes


class Load(Struct, frozen=True, kw_only=True):
    """What a round of requests found."""

    latencies_ms: tuple[float, ...]
    """From the first byte written to the last byte read, of each answered request."""
    statuses: dict[int, int]
    wall_s: float
    """From the first request to the last answer."""
    cpu_s: float
    """What the generator's own process used meanwhile."""

    @property
    def accepted(self) -> int:
        """How many were answered 202."""
        return self.statuses.get(202, 0)

    @property
    def rate(self) -> float:
        """Accepted per second."""
        return self.accepted / self.wall_s


class Address(Struct, frozen=True, kw_only=True):
    """Where a server listens."""

    host: str
    port: int


class Connection:
    """A keep-alive connection that carries one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: Address) -> Connection:
        """Connect."""
        return cls(*await asyncio.open_connection(address.host, address.port))

    async def fire(self, shot: Shot) -> int:
        """Send a request, read its whole answer and return the status."""
        self._writer.write(shot.head + shot.body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        mark = head.lower().find(b"content-length:")
        if mark < 0:
            raise ValueError("the answer does not say how long it is")
        await self._reader.readexactly(int(head[mark + 15 : head.index(b"\r\n", mark)]))
        return int(head[9:12])

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()


async def closed_loop(address: Address, shots: Sequence[Shot], *, connections: int, seconds: float) -> Load:
    """Keep every connection busy for so many seconds, or until the requests are used up."""
    lines = [await Connection.open(address) for _ in range(connections)]
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    left = iter(shots)
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_work(line, left, latencies, statuses, until=began + seconds) for line in lines))
    load = Load(
        latencies_ms=tuple(latencies),
        statuses=dict(statuses),
        wall_s=time.perf_counter() - began,
        cpu_s=time.process_time() - cpu,
    )
    for line in lines:
        await line.close()
    return load


async def _work(
    line: Connection, left: Iterator[Shot], latencies: list[float], statuses: Counter[int], *, until: float
) -> None:
    while (began := time.perf_counter()) < until:
        shot = next(left, None)
        if shot is None:
            return
        statuses[await line.fire(shot)] += 1
        latencies.append((time.perf_counter() - began) * 1000)


async def at_rate(address: Address, shots: Iterator[Shot], *, per_second: float, stop: asyncio.Event) -> Counter[int]:
    """Send at a fixed rate, whatever the answers do, until told to stop; return how many had which status.

    Each on a connection of its own, as GitLab and Jira send.
    """
    statuses: Counter[int] = Counter()
    under_way: set[asyncio.Task[None]] = set()

    async def one(shot: Shot) -> None:
        line = await Connection.open(address)
        statuses[await line.fire(shot)] += 1
        await line.close()

    began, sent = time.perf_counter(), 0
    while not stop.is_set():
        task = asyncio.create_task(one(next(shots)))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        sent += 1
        pause = began + sent / per_second - time.perf_counter()
        await asyncio.sleep(max(0.0, pause))
    await asyncio.gather(*under_way)
    return statuses
