"""Prompt caching, as rules on any prompt. Pure: no socket."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.anthropic.cache import CacheUse, Position, PromptCache, Ttl
from sandbox.anthropic.prompt import render, tokens

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINIMUM = 20

words = st.text(alphabet="ab é\n", min_size=1, max_size=120)


@st.composite
def prompts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a prompt with up to four breakpoints whose lifetimes don't grow."""
    tools = [
        {"name": f"t{n}", "description": d, "input_schema": {}} for n, d in enumerate(draw(st.lists(words, max_size=3)))
    ]
    system = [{"type": "text", "text": text} for text in draw(st.lists(words, max_size=3))]
    turns = draw(st.lists(st.lists(words, min_size=1, max_size=8), min_size=1, max_size=6))
    messages: list[dict[str, Any]] = [
        {"role": ("user", "assistant")[n % 2], "content": [{"type": "text", "text": text} for text in texts]}
        for n, texts in enumerate(turns)
    ]
    blocks: list[dict[str, Any]] = [*tools, *system, *(block for message in messages for block in message["content"])]
    chosen = sorted(draw(st.sets(st.integers(0, len(blocks) - 1), max_size=4)))
    hours = draw(st.integers(0, len(chosen)))
    for order, place in enumerate(chosen):
        blocks[place]["cache_control"] = {"type": "ephemeral", "ttl": "1h" if order < hours else "5m"}
    return {"tools": tools, "system": system, "messages": messages}


def ask(cache: PromptCache, prompt: dict[str, Any], at: datetime = NOON, key: str = "k", model: str = "m") -> CacheUse:
    return cache.settle(render(prompt), model=model, key=key, minimum=MINIMUM, now=at)


def parts(use: CacheUse) -> int:
    return use.read + use.write_5m + use.write_1h


def marked_end(prompt: dict[str, Any]) -> int:
    ends = [position.tokens for position in render(prompt) if position.ttl is not None]
    return max((end for end in ends if end >= MINIMUM), default=0)


@given(prompts())
def test_what_is_read_or_written_reaches_exactly_to_the_last_breakpoint(prompt: dict[str, Any]) -> None:
    cache = PromptCache()
    for _ in range(3):
        use = ask(cache, prompt)
        assert min(use.read, use.write_5m, use.write_1h) >= 0
        assert parts(use) == marked_end(prompt) <= render(prompt)[-1].tokens


@given(prompts())
def test_an_identical_second_call_reads_what_the_first_wrote(prompt: dict[str, Any]) -> None:
    cache = PromptCache()
    first = ask(cache, prompt)
    assert first.read == 0
    assert ask(cache, prompt) == CacheUse(read=parts(first))


@given(prompts(), st.data())
def test_a_changed_byte_is_never_read_nor_anything_behind_it(prompt: dict[str, Any], data: st.DataObject) -> None:
    cache = PromptCache()
    ask(cache, prompt)
    blocks = [*prompt["tools"], *prompt["system"], *(b for message in prompt["messages"] for b in message["content"])]
    place = data.draw(st.integers(0, len(blocks) - 1))
    name = "description" if place < len(prompt["tools"]) else "text"
    before = render(prompt)[place - 1].tokens if place else 0
    blocks[place][name] += "c"
    assert ask(cache, prompt).read <= before


@given(prompts())
def test_another_key_or_model_reads_nothing(prompt: dict[str, Any]) -> None:
    cache = PromptCache()
    first = ask(cache, prompt)
    assert ask(cache, prompt, key="other") == first
    assert ask(cache, prompt, model="other") == first


@given(prompts())
def test_a_prompt_is_counted_by_the_documented_rule(prompt: dict[str, Any]) -> None:
    positions = render(prompt)
    assert [position.tokens for position in positions] == sorted(position.tokens for position in positions)
    assert positions[-1].tokens >= sum(len(block["text"].encode()) for block in prompt["system"]) // 4


def chain(*marks: tuple[int, Ttl], length: int, tag: bytes = b"") -> list[Position]:
    ttls = dict(marks)
    return [
        Position(path=str(n), tokens=100 * (n + 1), digest=tag + bytes([n]), ttl=ttls.get(n)) for n in range(length)
    ]


def settle(cache: PromptCache, positions: list[Position], minutes: float = 0) -> CacheUse:
    return cache.settle(positions, model="m", key="k", minimum=MINIMUM, now=NOON + timedelta(minutes=minutes))


@pytest.mark.parametrize(("ttl", "alive", "dead"), [(Ttl.FIVE_MINUTES, 4.9, 5.1), (Ttl.ONE_HOUR, 59.9, 60.1)])
def test_an_entry_lives_for_its_lifetime_after_its_last_use(ttl: Ttl, alive: float, dead: float) -> None:
    cache = PromptCache()
    prompt = chain((0, ttl), length=1)
    settle(cache, prompt)
    assert settle(cache, prompt, alive).read == 100
    assert settle(cache, prompt, alive + alive).read == 100
    assert settle(cache, prompt, alive + alive + dead).read == 0


def test_a_breakpoint_looks_back_over_twenty_blocks_and_no_further() -> None:
    cache = PromptCache()
    settle(cache, chain((0, Ttl.FIVE_MINUTES), length=1))
    assert settle(cache, chain((19, Ttl.FIVE_MINUTES), length=20)) == CacheUse(read=100, write_5m=1900)
    cache = PromptCache()
    settle(cache, chain((0, Ttl.FIVE_MINUTES), length=1))
    assert settle(cache, chain((20, Ttl.FIVE_MINUTES), length=21)) == CacheUse(write_5m=2100)


def test_mixed_lifetimes_are_billed_in_three_segments() -> None:
    cache = PromptCache()
    settle(cache, chain((0, Ttl.ONE_HOUR), length=1))
    grown = chain((0, Ttl.ONE_HOUR), (2, Ttl.ONE_HOUR), (5, Ttl.FIVE_MINUTES), length=7)
    assert settle(cache, grown) == CacheUse(read=100, write_1h=200, write_5m=300)


def test_only_breakpoints_are_written() -> None:
    cache = PromptCache()
    settle(cache, chain((5, Ttl.FIVE_MINUTES), length=6))
    assert settle(cache, chain((3, Ttl.FIVE_MINUTES), length=4)).read == 0


def test_below_the_minimum_nothing_is_cached() -> None:
    cache = PromptCache()
    prompt = chain((0, Ttl.FIVE_MINUTES), length=1)
    for _ in range(2):
        assert cache.settle(prompt, model="m", key="k", minimum=101, now=NOON) == CacheUse()
    assert len(cache) == 0


def conversation(**more: Any) -> dict[str, Any]:
    hour = {"type": "ephemeral", "ttl": "1h"}
    long = "word " * 100
    return {
        "tools": [{"name": "t", "input_schema": {"a": 1, "b": 2}}],
        "system": [{"type": "text", "text": long, "cache_control": hour}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": long, "cache_control": hour}]}],
        **more,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"tool_choice": {"type": "none"}},
        {"thinking": {"type": "disabled"}},
        {"output_config": {"effort": "low"}},
    ],
)
def test_changed_parameters_keep_tools_and_system_but_not_messages(change: dict[str, Any]) -> None:
    cache = PromptCache()
    ask(cache, conversation())
    use = ask(cache, conversation(**change))
    assert use.read == render(conversation())[1].tokens
    assert use.write_1h > 0


def test_naming_a_default_changes_nothing() -> None:
    cache = PromptCache()
    ask(cache, conversation())
    assert ask(cache, conversation(tool_choice={"type": "auto"})).write_1h == 0


def test_another_order_of_a_schemas_keys_is_another_prompt() -> None:
    cache = PromptCache()
    ask(cache, conversation())
    assert ask(cache, conversation(tools=[{"name": "t", "input_schema": {"b": 2, "a": 1}}])).read == 0


def test_the_order_of_a_blocks_own_keys_and_the_place_of_the_breakpoint_are_not_part_of_the_prompt() -> None:
    cache = PromptCache()
    ask(cache, conversation())
    swapped = conversation(tools=[{"input_schema": {"a": 1, "b": 2}, "name": "t"}])
    assert ask(cache, swapped).write_1h == 0


def test_automatic_caching_marks_the_last_block() -> None:
    plain = {"messages": [{"role": "user", "content": "a" * 400}], "cache_control": {"type": "ephemeral"}}
    assert [position.ttl for position in render(plain)] == [Ttl.FIVE_MINUTES]


def test_a_picture_counts_the_same_whatever_its_size() -> None:
    def prompt(data: str) -> dict[str, Any]:
        source = {"type": "base64", "media_type": "image/png", "data": data}
        return {"messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]}

    small, large = render(prompt("aGk=")), render(prompt("aGk=" * 10_000))
    assert small[-1].tokens == large[-1].tokens > 1_500
    assert small[-1].digest != large[-1].digest


def test_tokens_are_bytes_by_four_rounded_up() -> None:
    assert [tokens(size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]
