"""Prompt caching: what of a prompt is read from the cache, and what is written. Pure but for its entries.

Rules of https://platform.claude.com/docs/en/build-with-claude/prompt-caching, as far as they could be read:
a prefix is everything up to and including a block that carries `cache_control`; entries are written at such breakpoints
only; a read looks back from each breakpoint over at most 20 blocks, the breakpoint's own included; a hit refreshes the
entry for its own lifetime; below the model's minimum nothing is cached; entries belong to one model and one API key.
Mixed lifetimes are billed as three segments: read up to the longest hit, then 1 hour up to the last 1-hour breakpoint
beyond it, then 5 minutes up to the last breakpoint.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import msgspec

LOOKBACK: Final = 20


class Ttl(Enum):
    """How long an entry lives after its last use."""

    FIVE_MINUTES = "5m"
    ONE_HOUR = "1h"


_LIFETIME: Final = {Ttl.FIVE_MINUTES: timedelta(minutes=5), Ttl.ONE_HOUR: timedelta(hours=1)}


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one block of a prompt, in the order tools, system, messages."""

    path: str
    """Where the block stands in the request, as errors name it: `messages.0.content.1`."""
    tokens: int
    """Tokens of the prompt up to and including this block."""
    digest: bytes
    """Identifies the rendered prompt up to and including this block."""
    ttl: Ttl | None = None
    """Set where the block carries `cache_control`."""


class CacheUse(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one prompt that the cache took part in."""

    read: int = 0
    write_5m: int = 0
    write_1h: int = 0


class _Entry(msgspec.Struct):
    ttl: Ttl
    expires: datetime


class PromptCache:
    """All entries, of all models and keys."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, bytes], _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def settle(self, positions: Sequence[Position], *, model: str, key: str, minimum: int, now: datetime) -> CacheUse:
        """Read, refresh and write entries for one prompt that is being answered."""
        self._entries = {name: entry for name, entry in self._entries.items() if entry.expires > now}
        marked = [
            index for index, position in enumerate(positions) if position.ttl is not None and position.tokens >= minimum
        ]
        names = [(model, key, position.digest) for position in positions]
        reachable = {index for end in marked for index in range(max(0, end - LOOKBACK + 1), end + 1)}
        hit = max((index for index in reachable if names[index] in self._entries), default=-1)
        for index in {hit, *marked}:
            if 0 <= index <= hit and (entry := self._entries.get(names[index])) is not None:
                entry.expires = now + _LIFETIME[entry.ttl]
        read = positions[hit].tokens if hit >= 0 else 0
        ends = {Ttl.ONE_HOUR: read, Ttl.FIVE_MINUTES: read}
        for index in marked:
            ttl = positions[index].ttl
            if index > hit and ttl is not None:
                self._entries[names[index]] = _Entry(ttl, now + _LIFETIME[ttl])
                ends[ttl] = positions[index].tokens
        hour = ends[Ttl.ONE_HOUR]
        return CacheUse(read=read, write_1h=hour - read, write_5m=max(0, ends[Ttl.FIVE_MINUTES] - hour))
