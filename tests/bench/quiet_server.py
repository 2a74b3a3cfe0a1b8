"""A server that answers every request with 202 and does nothing: it shows how fast the load generator can be.

Run as a process: `python -m tests.bench.quiet_server PORT`.
"""

from __future__ import annotations

import asyncio
import sys

ANSWER = b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class _Quiet(asyncio.Protocol):
    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._waiting = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when a request is complete; a connection carries one at a time."""
        if not self._missing:
            self._waiting += data
            head, end, body = self._waiting.partition(b"\r\n\r\n")
            if not end:
                return
            mark = head.lower().index(b"content-length:")
            length = int(head[mark + 15 :].split(b"\r\n", 1)[0])
            self._waiting, self._missing = b"", length - len(body)
        else:
            self._missing -= len(data)
        if self._missing == 0 and self._transport is not None:
            self._transport.write(ANSWER)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Quiet, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
