"""Read the usage out of a Messages API answer, whole or streamed. Pure: bytes in, tokens out.

The usage of a stream is in `message_start` and, cumulative, in each `message_delta`, which lacks the split of cache
writes: the last value of each count wins. Source: https://docs.claude.com/en/api/messages-streaming
A usage that was not told whole is unknown, never zero: a prompt has tokens, an answer says how many it wrote, and what
is counted up does not fall.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from receiver.gateway.event_stream import EventStream
from receiver.gateway.price_modifiers import price_factor
from receiver.store.money.pricing import Usage

Count = Annotated[int, Meta(ge=0, le=10**12)]


class ParsedUsage(Struct, frozen=True, kw_only=True):
    """The usage and outcome that an answer reported."""

    usage: Usage
    raw: dict[str, Any]
    message_id: str | None
    stop_reason: str | None


class _CacheCreation(Struct):
    ephemeral_5m_input_tokens: Count | None = None
    ephemeral_1h_input_tokens: Count | None = None


class _Counts(Struct):
    input_tokens: Count
    output_tokens: Count
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_creation: _CacheCreation | None = None


class _Message(Struct):
    usage: dict[str, Any] | None = None
    id: str | None = None
    stop_reason: str | None = None


class _Event(Struct):
    type: str
    message: _Message | None = None
    usage: dict[str, Any] | None = None
    delta: dict[str, Any] | None = None


def whole(body: bytes) -> ParsedUsage | None:
    """Return the usage of a JSON answer, or None when it isn't a message that tells it."""
    try:
        message = msgspec.json.decode(body, type=_Message)
    except msgspec.DecodeError:
        return None
    return _parsed(message.usage or {}, message.id, message.stop_reason)


class StreamReader:
    """Reads a stream's bytes as they pass; buffers one event at most."""

    def __init__(self) -> None:
        """Start before the first byte."""
        self._stream = EventStream()
        self._first: dict[str, Any] = {}
        self._raw: dict[str, Any] = {}
        self._message_id: str | None = None
        self._stop_reason: str | None = None
        self._has_ended = False
        self._told_output = False
        self.error: str | None = None
        """What an `error` event said."""

    def feed(self, chunk: bytes) -> None:
        """Process the next bytes."""
        for data in self._stream.feed(chunk):
            self._event(data)

    def parsed(self) -> ParsedUsage | None:
        """Return the final usage, or None when the stream broke before reporting it, or never told all of it."""
        if not (self._has_ended and self._told_output):
            return None
        found = _parsed(self._raw, self._message_id, self._stop_reason)
        first = _parsed(self._first, None, None)
        has_fallen = (
            found is not None
            and first is not None
            and (found.usage.prompt < first.usage.prompt or found.usage.output < first.usage.output)
        )
        return None if has_fallen else found

    def _event(self, data: bytes) -> None:
        try:
            event = msgspec.json.decode(data, type=_Event)
        except msgspec.DecodeError:
            return
        match event.type:
            case "message_start" if event.message is not None:
                self._add(event.message.usage)
                self._first = dict(self._raw)
                self._message_id = event.message.id
            case "message_delta":
                self._add(event.usage)
                self._told_output |= (event.usage or {}).get("output_tokens") is not None
                reason = (event.delta or {}).get("stop_reason")
                if isinstance(reason, str):
                    self._stop_reason, self._has_ended = reason, True
            case "message_stop":
                self._has_ended = True
            case "error":
                self.error = data.decode(errors="replace")[:500]
            case _:
                pass

    def _add(self, usage: dict[str, Any] | None) -> None:
        self._raw |= {key: value for key, value in (usage or {}).items() if value is not None}


def _parsed(raw: dict[str, Any], message_id: str | None, stop_reason: str | None) -> ParsedUsage | None:
    try:
        counts = msgspec.convert(raw, _Counts)
    except msgspec.ValidationError:
        return None
    five_minutes, one_hour = _written(counts)
    usage = Usage(
        uncached=counts.input_tokens,
        cache_read=counts.cache_read_input_tokens or 0,
        cache_write_5m=five_minutes,
        cache_write_1h=one_hour,
        output=counts.output_tokens,
        price_factor=price_factor(raw),
    )
    if not usage.prompt:
        return None
    return ParsedUsage(usage=usage, raw=raw, message_id=message_id, stop_reason=stop_reason)


def _written(counts: _Counts) -> tuple[int, int]:
    """Return the cache writes for five minutes and for an hour; of what no split tells, the dearer is assumed."""
    split = counts.cache_creation or _CacheCreation()
    five_minutes, one_hour = split.ephemeral_5m_input_tokens or 0, split.ephemeral_1h_input_tokens or 0
    total = counts.cache_creation_input_tokens
    if total is None:
        return five_minutes, one_hour
    five_minutes = min(five_minutes, total)
    return five_minutes, total - five_minutes
