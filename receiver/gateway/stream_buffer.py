"""Pass a stream's bytes to a job in whole events and bounded memory. Reads nothing upstream.

A job that reads too slowly loses its stream; the usage is recorded all the same, as upstream is read to the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from receiver import limits

_ENDS = (b"\n\n", b"\r\n\r\n")


def error_event(kind: str, sentence: str) -> bytes:
    """Return the event with which the Messages API ends a broken stream."""
    body = {"type": "error", "error": {"type": kind, "message": sentence}}
    return b"event: error\ndata: " + msgspec.json.encode(body) + b"\n\n"


class StreamBuffer:
    """One stream from upstream to a job."""

    def __init__(self, *, backlog: int = limits.STREAM_BACKLOG) -> None:
        """Buffer at most `backlog` bytes."""
        self._limit = backlog
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._waiting = 0
        self._rest = b""
        self._closed = False

    @property
    def waiting(self) -> int:
        """Unread bytes."""
        return self._waiting + len(self._rest)

    def put(self, chunk: bytes) -> None:
        """Pass on the events completed by this chunk; nothing once the job has disconnected."""
        if self._closed:
            return
        self._rest += chunk
        cut = max(end + len(mark) if (end := self._rest.rfind(mark)) >= 0 else 0 for mark in _ENDS)
        if cut:
            self._push(self._rest[:cut])
            self._rest = self._rest[cut:]
        if self.waiting > self._limit:
            self._drop()
            self.break_off("The stream was read too slowly and is given up; ask again.")

    def end(self) -> None:
        """End the stream as upstream did."""
        if self._closed:
            return
        if self._rest:
            self._push(self._rest)
        self._close()

    def break_off(self, sentence: str) -> None:
        """End the stream with an error: half an answer must not look like a whole one."""
        if self._closed:
            return
        self._push(error_event("api_error", sentence))
        self._close()

    async def read(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they arrive; when the reader leaves, buffering stops."""
        try:
            while (chunk := await self._chunks.get()) is not None:
                self._waiting -= len(chunk)
                yield chunk
        finally:
            self._closed = True
            self._drop()

    def _push(self, chunk: bytes) -> None:
        self._waiting += len(chunk)
        self._chunks.put_nowait(chunk)

    def _close(self) -> None:
        self._closed, self._rest = True, b""
        self._chunks.put_nowait(None)

    def _drop(self) -> None:
        while not self._chunks.empty():
            self._chunks.get_nowait()
        self._waiting, self._rest = 0, b""
