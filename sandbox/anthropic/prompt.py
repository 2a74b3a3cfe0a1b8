"""Render a prompt canonically, count its tokens, find its cache breakpoints. Pure.

The documented rule of counting: tokens = ceil(UTF-8 bytes / 4) of what the prompt renders to: in this order each tool,
each system block, each content block of each message, as compact JSON without `cache_control`. The keys of a block are
sorted; inside of `input` and `input_schema` their order is kept, so that another order is another prompt, as it is for
the API. A picture or PDF given in base64 counts as 1,500 tokens whatever its size.
Between system and messages stand, with no weight, the parameters whose change invalidates cached messages.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from sandbox.anthropic.cache import Position, Ttl
from sandbox.anthropic.errors import invalid

BYTES_PER_TOKEN: Final = 4
_BINARY_BYTES: Final = 1_500 * BYTES_PER_TOKEN
_MAX_BREAKPOINTS: Final = 4
_PARAMETERS: Final = {"tool_choice": {"type": "auto"}, "thinking": None, "output_config": None}
"""With their defaults."""
_NEVER_CACHED: Final = frozenset({"thinking", "redacted_thinking"})


class _Segment(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    rendered: bytes
    weight: int
    ttl: Ttl | None
    cacheable: bool


def tokens(size: int) -> int:
    """Count the tokens of so many bytes."""
    return -(-size // BYTES_PER_TOKEN)


def render(raw: dict[str, Any]) -> tuple[Position, ...]:
    """Cut a request into its blocks, with running count and digest at the end of each; check its breakpoints."""
    segments = [*_tools(raw), *_system(raw)]
    before_messages = len(segments)
    segments += _messages(raw)
    lifetimes = _lifetimes(segments, raw.get("cache_control"))
    running, size = hashlib.sha256(), 0
    positions: list[Position] = []
    for index, segment in enumerate(segments):
        if index == before_messages:
            running.update(_encode([raw.get(name) or default for name, default in _PARAMETERS.items()]))
        running.update(len(segment.rendered).to_bytes(8, "big") + segment.rendered)
        size += segment.weight
        positions.append(
            Position(path=segment.path, tokens=tokens(size), digest=running.digest(), ttl=lifetimes[index])
        )
    return tuple(positions)


def _tools(raw: dict[str, Any]) -> Iterator[_Segment]:
    for index, tool in enumerate(raw.get("tools") or ()):
        yield _segment(f"tools.{index}", "tool", tool)


def _system(raw: dict[str, Any]) -> Iterator[_Segment]:
    for index, block in enumerate(_blocks(raw.get("system"))):
        yield _segment(f"system.{index}", "system", block)


def _messages(raw: dict[str, Any]) -> Iterator[_Segment]:
    for number, message in enumerate(raw["messages"]):
        for index, block in enumerate(_blocks(message["content"])):
            yield _segment(f"messages.{number}.content.{index}", message["role"], block)


def _blocks(content: str | list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content or []


def _segment(path: str, role: str, block: dict[str, Any]) -> _Segment:
    plain, pictures = _plain(block)
    rendered = _encode([role, plain])
    control = block.get("cache_control")
    return _Segment(
        path=path,
        rendered=rendered,
        weight=len(rendered) + pictures * _BINARY_BYTES,
        ttl=Ttl(control.get("ttl", "5m")) if control else None,
        cacheable=block.get("type") not in _NEVER_CACHED,
    )


def _plain(block: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Leave out `cache_control`, replace binary data by its digest, normalise nested content; count the binaries."""
    plain: dict[str, Any] = {}
    pictures = 0
    for name in sorted(block):
        value = block[name]
        if name == "cache_control" or value is None:
            continue
        if name == "source" and isinstance(value, dict) and value.get("type") == "base64":
            value = {"media_type": value["media_type"], "sha256": hashlib.sha256(value["data"].encode()).hexdigest()}
            pictures += 1
        elif name == "content":
            parts = [_plain(part) for part in _blocks(value)]
            value = [part for part, _ in parts]
            pictures += sum(count for _, count in parts)
        plain[name] = value
    return plain, pictures


def _encode(value: object) -> bytes:
    return msgspec.json.encode(value)


def _lifetimes(segments: Sequence[_Segment], automatic: dict[str, Any] | None) -> list[Ttl | None]:
    lifetimes = [segment.ttl for segment in segments]
    if automatic:
        wanted = Ttl(automatic.get("ttl", "5m"))
        last = max((index for index, segment in enumerate(segments) if segment.cacheable), default=None)
        if last is not None:
            given = lifetimes[last]
            if given not in {None, wanted}:
                raise invalid(
                    f"Top-level cache_control has ttl='{wanted.value}' but the target block already has cache_control "
                    f"with ttl='{given.value if given else ''}'"
                )
            lifetimes[last] = wanted
    _check_breakpoints(segments, lifetimes)
    return lifetimes


def _check_breakpoints(segments: Sequence[_Segment], lifetimes: Sequence[Ttl | None]) -> None:
    found = sum(ttl is not None for ttl in lifetimes)
    if found > _MAX_BREAKPOINTS:
        raise invalid(f"A maximum of {_MAX_BREAKPOINTS} blocks with cache_control may be provided. Found {found}.")
    short = False
    for segment, ttl in zip(segments, lifetimes, strict=True):
        if ttl is Ttl.ONE_HOUR and short:
            raise invalid(
                f"{segment.path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
                "cache_control block. Note that blocks are processed in the following order: `tools`, `system`, "
                "`messages`."
            )
        short = short or ttl is Ttl.FIVE_MINUTES
