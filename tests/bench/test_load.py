import asyncio

import pytest

from tests.bench.load import Address, Shot, closed_loop

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


async def test_every_request_is_sent_once_and_counted_by_the_status_of_its_answer() -> None:
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            seen.append(await reader.readexactly(2))
            status = b"202 Accepted" if head.startswith(b"POST /ok") else b"503 Service Unavailable"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 3\r\n\r\nyes")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    shots = [
        Shot(head=f"POST /{'ok' if n % 3 else 'no'} HTTP/1.1\r\ncontent-length: 2\r\n\r\n".encode(), body=b"%02d" % n)
        for n in range(30)
    ]
    load = await closed_loop(Address(host=host, port=port), shots, connections=4, seconds=60)
    server.close()
    assert sorted(seen) == [b"%02d" % n for n in range(30)]
    assert load.statuses == {202: 20, 503: 10}
    assert (load.accepted, len(load.latencies_ms)) == (20, 30)
    assert load.rate == pytest.approx(20 / load.wall_s)
