"""Read the usage out of a Messages API answer, whole or streamed. Pure: bytes in, tokens out.

The usage of a stream is in `message_start` and, cumulative, in each `message_delta`, which lacks the split of cache
writes: the last value of each count wins. Source: https://docs.claude.com/en/api/messages-streaming
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from receiver.store.money.pricing import Usage


class ParsedUsage(Struct, frozen=True, kw_only=True):
    """The usage and outcome that an answer reported."""

    usage: Usage
    raw: dict[str, Any]
    message_id: str | None
    stop_reason: str | None


class _CacheCreation(Struct):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _Counts(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None


class _Message(Struct):
    usage: dict[str, Any]
    id: str | None = None
    stop_reason: str | None = None


class _Event(Struct):
    type: str
    message: _Message | None = None
    usage: dict[str, Any] | None = None
    delta: dict[str, Any] | None = None


def whole(body: bytes) -> ParsedUsage | None:
    """Return the usage of a JSON answer, or None when it isn't a message."""
    try:
        message = msgspec.json.decode(body, type=_Message)
        return _parsed(message.usage, message.id, message.stop_reason)
    except msgspec.DecodeError:
        return None


class StreamReader:
    """Reads a stream's bytes as they pass; buffers one line at most."""

    def __init__(self) -> None:
        """Start before the first byte."""
        self._rest = b""
        self._raw: dict[str, Any] = {}
        self._message_id: str | None = None
        self._stop_reason: str | None = None
        self._final = False
        self.error: str | None = None
        """What an `error` event said."""

    def feed(self, chunk: bytes) -> None:
        """Process the next bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip())

    def parsed(self) -> ParsedUsage | None:
        """Return the final usage, or None when the stream broke before reporting it."""
        if not self._final:
            return None
        try:
            return _parsed(self._raw, self._message_id, self._stop_reason)
        except msgspec.ValidationError:
            return None

    def _event(self, data: bytes) -> None:
        try:
            event = msgspec.json.decode(data, type=_Event)
        except msgspec.DecodeError:
            return
        match event.type:
            case "message_start" if event.message is not None:
                self._raw = dict(event.message.usage)
                self._message_id = event.message.id
            case "message_delta":
                self._raw |= {key: value for key, value in (event.usage or {}).items() if value is not None}
                reason = (event.delta or {}).get("stop_reason")
                if isinstance(reason, str):
                    self._stop_reason, self._final = reason, True
            case "message_stop":
                self._final = True
            case "error":
                self.error = data.decode(errors="replace")[:500]
            case _:
                pass


def _parsed(raw: dict[str, Any], message_id: str | None, stop_reason: str | None) -> ParsedUsage:
    counts = msgspec.convert(raw, _Counts)
    written = counts.cache_creation_input_tokens or 0
    split = counts.cache_creation or _CacheCreation()
    one_hour = split.ephemeral_1h_input_tokens or 0
    # Without the split, what is not known to be written for an hour was written for five minutes, the default.
    five_minutes = (
        split.ephemeral_5m_input_tokens if split.ephemeral_5m_input_tokens is not None else written - one_hour
    )
    usage = Usage(
        uncached=counts.input_tokens or 0,
        cache_read=counts.cache_read_input_tokens or 0,
        cache_write_5m=max(five_minutes, 0),
        cache_write_1h=one_hour,
        output=counts.output_tokens or 0,
    )
    return ParsedUsage(usage=usage, raw=raw, message_id=message_id, stop_reason=stop_reason)
