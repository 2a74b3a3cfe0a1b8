"""Read server-sent events out of bytes that arrive in pieces. Pure; knows no event's meaning.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation: lines end with CR, LF or
both, several `data` lines are one text joined by line feeds, and an event counts when a blank line has ended it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_MARK: Final = b"\xef\xbb\xbf"


class EventStream:
    """One stream; buffers one event at most."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._is_first = True
        self._after_return = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the data of each event that the next bytes complete."""
        if self._after_return and chunk:
            chunk, self._after_return = chunk.removeprefix(b"\n"), False  # it ends no line of its own
        self._after_return |= chunk.endswith(b"\r")
        text = self._rest + chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = text.split(b"\n")
        for line in lines:
            yield from self._take(line)

    def _take(self, line: bytes) -> Iterator[bytes]:
        if self._is_first:
            line, self._is_first = line.removeprefix(_MARK), False
        if not line:
            if self._data:
                yield b"\n".join(self._data)
            self._data = []
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
