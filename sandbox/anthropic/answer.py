"""Turn a scripted turn into the API's answer: content blocks, stop reason, the message, the events of a stream.

Output is counted by the rule of prompt.py: ceil(UTF-8 bytes / 4) of the texts and of name and input of each tool call.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from sandbox.anthropic import wire
from sandbox.anthropic.errors import invalid
from sandbox.anthropic.models import Model
from sandbox.anthropic.models import Thinking as Accepted
from sandbox.anthropic.prices import Usage
from sandbox.anthropic.prompt import BYTES_PER_TOKEN, tokens
from sandbox.scenario_format import Turn

_PIECES: Final = 16
"""A block is streamed in about so many deltas."""
_SHORTEST: Final = 24
"""Characters; a delta is not shorter, but for the last."""

Event = dict[str, Any]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the model says, before it is put into a message."""

    content: tuple[dict[str, Any], ...]
    stop_reason: str
    stop_sequence: str | None = None
    output: int
    """Output tokens."""
    thinking: int = 0
    """Of these, tokens of thinking."""


def compose(turn: Turn, request: wire.CreateRequest, model: Model, *, new_id: Callable[[str], str]) -> Answer:
    """Build the content that the request lets through: thinking, stop sequences and `max_tokens` apply."""
    left = request.max_tokens * BYTES_PER_TOKEN
    blocks: list[dict[str, Any]] = []
    size = thought = 0
    for block, weight in _blocks(turn, request, model, new_id):
        if size + weight > left:
            if block["type"] == "text" and (cut := block["text"].encode()[: left - size].decode(errors="ignore")):
                blocks.append({**block, "text": cut})
            return Answer(
                content=tuple(blocks), stop_reason="max_tokens", output=request.max_tokens, thinking=tokens(thought)
            )
        size += weight
        if block["type"] == "thinking":
            thought += weight
        if block["type"] == "text" and (stop := _stopped(block["text"], request.stop_sequences)) is not None:
            text, sequence = stop
            size -= weight - len(text.encode())
            return Answer(
                content=(*blocks, *([{**block, "text": text}] if text else ())),
                stop_reason="stop_sequence",
                stop_sequence=sequence,
                output=tokens(size),
                thinking=tokens(thought),
            )
        blocks.append(block)
    return Answer(
        content=tuple(blocks),
        stop_reason="tool_use" if turn.tool_use else "end_turn",
        output=tokens(size),
        thinking=tokens(thought),
    )


def _blocks(
    turn: Turn, request: wire.CreateRequest, model: Model, new_id: Callable[[str], str]
) -> Iterator[tuple[dict[str, Any], int]]:
    if turn.thinking and _thinks(request.thinking, model):
        shown = turn.thinking if _shows(request.thinking, model) else ""
        block = {"type": "thinking", "thinking": shown, "signature": signature(shown)}
        yield block, len(turn.thinking.encode())
    if turn.text:
        yield {"type": "text", "text": turn.text}, len(turn.text.encode())
    for use in turn.tool_use:
        weight = len(use.name.encode()) + len(msgspec.json.encode(use.input))
        yield {"type": "tool_use", "id": new_id("toolu"), "name": use.name, "input": use.input}, weight


def _thinks(config: wire.ThinkingConfig | None, model: Model) -> bool:
    """Adaptive models think unless told not to; older ones only when told to."""
    if config is None:
        return model.thinking in {Accepted.ADAPTIVE, Accepted.ALWAYS}
    return config.type != "disabled"


def _shows(config: wire.ThinkingConfig | None, model: Model) -> bool:
    """Newer models leave the thinking out of the block unless `display` asks for its summary."""
    if config is not None and config.display is not None:
        return config.display == "summarized"
    return model.thinking in {Accepted.MANUAL, Accepted.EITHER}


def _stopped(text: str, sequences: list[str]) -> tuple[str, str] | None:
    found = [(text.index(sequence), sequence) for sequence in sequences if sequence in text]
    if not found:
        return None
    place, sequence = min(found)
    return text[:place], sequence


def signature(thinking: str) -> str:
    """Sign a thinking block; good enough to notice one that was altered on its way back."""
    return hashlib.sha256(b"thinking\0" + thinking.encode()).hexdigest()


def check_signatures(request: wire.CountRequest) -> None:
    """Refuse thinking that this emulator did not write."""
    for number, message in enumerate(request.messages):
        for index, block in enumerate(message.content):
            if isinstance(block, wire.Thinking) and block.signature != signature(block.thinking):
                raise invalid(f"messages.{number}.content.{index}: Invalid `signature` in `thinking` block")


def usage_json(usage: Usage) -> dict[str, Any]:
    """Write usage as the API does."""
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.write_5m + usage.write_1h,
        "cache_read_input_tokens": usage.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.write_5m,
            "ephemeral_1h_input_tokens": usage.write_1h,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.thinking},
        "service_tier": "standard",
    }


def message(answer: Answer, *, message_id: str, model: str, usage: Usage) -> dict[str, Any]:
    """Write the whole answer."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list(answer.content),
        "stop_reason": answer.stop_reason,
        "stop_sequence": answer.stop_sequence,
        "usage": usage_json(usage),
    }


def first_usage(usage: Usage) -> Usage:
    """Tell the usage that a stream's `message_start` reports: all of the input, the first token of the output."""
    return msgspec.structs.replace(usage, output=min(1, usage.output), thinking=0)


def events(answer: Answer, *, message_id: str, model: str, usage: Usage) -> Iterator[Event]:
    """Stream the answer, in the order of https://platform.claude.com/docs/en/build-with-claude/streaming."""
    start = message(answer, message_id=message_id, model=model, usage=first_usage(usage))
    yield {"type": "message_start", "message": {**start, "content": [], "stop_reason": None, "stop_sequence": None}}
    for index, block in enumerate(answer.content):
        yield {"type": "content_block_start", "index": index, "content_block": _empty(block)}
        if index == 0:
            yield {"type": "ping"}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    final = usage_json(usage)
    del final["cache_creation"], final["service_tier"]
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": answer.stop_reason, "stop_sequence": answer.stop_sequence},
        "usage": final,
    }
    yield {"type": "message_stop"}


_EMPTY: Final[dict[str, dict[str, Any]]] = {
    "text": {"text": ""},
    "tool_use": {"input": {}},
    "thinking": {"thinking": "", "signature": ""},
}


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    return {**block, **_EMPTY[block["type"]]}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "text":
            for piece in _pieces(block["text"]):
                yield {"type": "text_delta", "text": piece}
        case "tool_use":
            yield {"type": "input_json_delta", "partial_json": ""}
            for piece in _pieces(msgspec.json.encode(block["input"]).decode()):
                yield {"type": "input_json_delta", "partial_json": piece}
        case "thinking":
            for piece in _pieces(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}


def _pieces(text: str) -> Iterator[str]:
    size = max(_SHORTEST, -(-len(text) // _PIECES))
    for start in range(0, len(text), size):
        yield text[start : start + size]
