"""The models that the emulator serves, and what each of them refuses. Holds no prices: see prices.py.

Source: the SDK's model names, and the limits and flags that litellm 1.109.1 publishes for them, read 2026-11-22. A
flag that is unknown there is taken as allowed. `claude-fable-5-2` is served with the limits of 5.1 and without a price,
so that a product can be tested with a price that it doesn't know.
"""

from enum import Enum

import msgspec


class Refusal(Enum):
    """Something that other models accept and this one answers with 400."""

    FORCED_TOOL_USE = "tool_choice `any` and `tool`"
    SAMPLING = "temperature, top_p and top_k"
    PREFILL = "a last message of the assistant"
    SYSTEM_MESSAGE = "messages with the role `system`"


class Thinking(Enum):
    """Which `thinking.type` values a model accepts."""

    MANUAL = frozenset({"enabled", "disabled"})
    EITHER = frozenset({"enabled", "disabled", "adaptive"})
    ADAPTIVE = frozenset({"adaptive", "between_tools", "disabled"})
    ALWAYS = frozenset({"adaptive", "between_tools"})


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model: its limits in tokens, and its refusals."""

    id: str
    context: int
    """Longest prompt."""
    max_output: int
    """Largest `max_tokens`."""
    cache_minimum: int
    """A shorter prefix is not cached."""
    thinking: Thinking
    refuses: frozenset[Refusal] = frozenset()


_SMALL = (200_000, 64_000)
_LARGE = (1_000_000, 128_000)
_G45 = frozenset({Refusal.SYSTEM_MESSAGE})
_G46 = _G45 | {Refusal.PREFILL}
_G47 = _G46 | {Refusal.SAMPLING}
_G50 = frozenset({Refusal.PREFILL, Refusal.SAMPLING})
_G55 = _G50 | {Refusal.FORCED_TOOL_USE}

_TABLE: tuple[tuple[str, tuple[int, int], int, Thinking, frozenset[Refusal]], ...] = (
    ("claude-haiku-5-5", _LARGE, 512, Thinking.ADAPTIVE, _G50),
    ("claude-sonnet-5-5", _LARGE, 512, Thinking.ALWAYS, _G55),
    ("claude-opus-5-5", _LARGE, 512, Thinking.ALWAYS, _G55),
    ("claude-fable-5-2", _LARGE, 512, Thinking.ALWAYS, _G55),
    ("claude-fable-5-1", _LARGE, 512, Thinking.ALWAYS, _G55),
    ("claude-mythos-5-1", _LARGE, 512, Thinking.ALWAYS, _G55),
    ("claude-fable-5", _LARGE, 512, Thinking.ALWAYS, _G50),
    ("claude-mythos-5", _LARGE, 512, Thinking.ALWAYS, _G50),
    ("claude-opus-5", _LARGE, 512, Thinking.ADAPTIVE, _G50),
    ("claude-sonnet-5", _LARGE, 1024, Thinking.ADAPTIVE, _G50),
    ("claude-opus-4-8", _LARGE, 1024, Thinking.ADAPTIVE, _G50),
    ("claude-opus-4-7", _LARGE, 2048, Thinking.ADAPTIVE, _G47),
    ("claude-opus-4-6", _LARGE, 4096, Thinking.EITHER, _G46),
    ("claude-sonnet-4-6", _LARGE, 1024, Thinking.EITHER, _G46),
    ("claude-opus-4-5", _SMALL, 4096, Thinking.MANUAL, _G45),
    ("claude-opus-4-5-20251101", _SMALL, 4096, Thinking.MANUAL, _G45),
    ("claude-haiku-4-5", _SMALL, 4096, Thinking.MANUAL, _G45),
    ("claude-haiku-4-5-20251001", _SMALL, 4096, Thinking.MANUAL, _G45),
    ("claude-sonnet-4-5", _SMALL, 1024, Thinking.MANUAL, _G45),
    ("claude-sonnet-4-5-20250929", _SMALL, 1024, Thinking.MANUAL, _G45),
)

MODELS: dict[str, Model] = {
    name: Model(
        id=name,
        context=limits[0],
        max_output=limits[1],
        cache_minimum=minimum,
        thinking=thinking,
        refuses=refuses,
    )
    for name, limits, minimum, thinking, refuses in _TABLE
}
"""By id."""
