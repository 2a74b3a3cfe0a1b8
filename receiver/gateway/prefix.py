"""The cacheable prefix of a request, measured by the gateway: what the model's cache can hold for other calls. Pure.

The prefix ends at the last block with `cache_control` in the tools or the system prompt; turns of one conversation come
after it. Source: https://docs.claude.com/en/docs/build-with-claude/prompt-caching.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct


class Prefix(Struct, frozen=True, kw_only=True):
    """What a call has in common with others, and whether it opens a conversation."""

    sha256: str | None
    """Of model, tools and system prompt up to the last breakpoint, as canonical JSON; None: there is no breakpoint."""
    is_first: bool
    """No answer of the model is in it: what the cache gives to such a call comes from other conversations."""


def prefix(request: Mapping[str, Any]) -> Prefix:
    """Return the prefix of a request that was decoded and checked."""
    tools, system = _blocks(request.get("tools")), _blocks(request.get("system"))
    of_tools, of_system = _end(tools), _end(system)
    is_first = not any(one.get("role") == "assistant" for one in _blocks(request.get("messages")))
    if not of_tools and not of_system:
        return Prefix(sha256=None, is_first=is_first)
    shared = [request.get("model"), tools if of_system else tools[:of_tools], system[:of_system]]
    text = json.dumps(shared, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Prefix(sha256=sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), is_first=is_first)


def _blocks(value: object) -> Sequence[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else ()


def _end(blocks: Sequence[dict[str, Any]]) -> int:
    """Return how many blocks there are up to the last breakpoint, itself included."""
    return max((place for place, one in enumerate(blocks, start=1) if one.get("cache_control")), default=0)
