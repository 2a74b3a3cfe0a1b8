"""What a job may request from the Messages API. Pure: reads a body, never rewrites it.

An allow-list: anything else is refused by name, because an unknown feature may leak data or cost money.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from pipelines.language import Phase
from receiver import limits
from receiver.gateway.prefix import Prefix, prefix
from receiver.json_keys import unique_keys

MAY_CALL = frozenset({Phase.ANALYSIS, Phase.PREPARE, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.REVIEW})
"""Phases whose jobs may call a model."""

PARAMETERS = frozenset(
    {
        "cache_control",
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    }
)
"""Allowed top-level parameters. Refused: mcp_servers, container, context_management, thread, inference_geo, speed."""

BLOCKS = frozenset({"text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking"})
SOURCES = frozenset({"base64", "text", "content"})
"""Allowed sources of images and documents: inside the request, never url or file."""

BETAS: frozenset[str] = frozenset({"interleaved-thinking-2025-05-14", "fine-grained-tool-streaming-2025-05-14"})

MEDIA_TOKENS = {"image": 5_000, "document": 1_000_000}
"""Upper bound of a block's tokens beyond its bytes, since pictures and pages are compressed: an image is scaled down to
less than this, and a document can't be longer than the largest context."""


class Refused(Exception):  # noqa: N818 - a refusal is a value here: status, type and sentence
    """The gateway rejects this request; the message is a sentence for the job's log."""

    def __init__(self, status: int, kind: str, sentence: str, *, retry_after_s: int | None = None) -> None:
        """Keep HTTP status, Anthropic's error type, sentence and seconds to wait."""
        super().__init__(sentence)
        self.retry_after_s = retry_after_s
        self.status = status
        self.kind = kind


class Call(Struct, frozen=True, kw_only=True):
    """What the gateway needs to know of a request."""

    model: str
    max_tokens: int
    """0 for count_tokens."""
    stream: bool
    prompt_at_most: int
    """Upper bound of the prompt's tokens."""
    prefix: Prefix


class Allowed(Struct, frozen=True, kw_only=True):
    """What this session may request."""

    phase: Phase
    models: frozenset[str]
    purpose: str = "work"
    """`context` or `work`."""


def inspect(body: bytes, *, allowed: Allowed, betas: Iterable[str], counting: bool = False) -> Call:
    """Return the parsed request. Raises Refused with the reason when it is not allowed."""
    _check_phase(allowed)
    if len(body) > limits.CALL_BODY:
        raise Refused(413, "request_too_large", f"The request has {len(body)} bytes; the limit is {limits.CALL_BODY}.")
    request = _decoded(body)
    if unknown := sorted(set(request) - PARAMETERS):
        raise _forbidden(f"Parameters that the gateway does not pass on: {_named(*unknown)}.")
    if foreign := sorted(set(betas) - BETAS):
        raise _forbidden(f"Betas that the gateway does not pass on: {_named(*foreign)}.")
    model, stream = request.get("model"), request.get("stream", False)
    if not isinstance(model, str) or model not in allowed.models:
        raise _forbidden(f"This job may use {', '.join(sorted(allowed.models))}, not {_named(model)}.")
    if request.get("service_tier", "standard_only") not in ("standard_only", "auto"):
        raise _forbidden("Only the standard service tier is passed on.")
    if not isinstance(stream, bool):
        raise _wrong("stream must be true or false.")
    _check_tools(request.get("tools", []))
    return Call(
        model=model,
        max_tokens=0 if counting else _max_tokens(request),
        stream=stream,
        # A token stands for at least one byte, so the body's length bounds the tokens of everything that is text.
        prompt_at_most=len(body) + limits.CALL_OVERHEAD_TOKENS + _check_prompt(request),
        prefix=prefix(request),
    )


def _check_phase(allowed: Allowed) -> None:
    if allowed.phase not in MAY_CALL:
        raise _forbidden(f"A {allowed.phase} job works without a model; its session can't call the gateway.")
    if allowed.phase is Phase.PREPARE and allowed.purpose != "context":
        raise _forbidden("A prepare job may call a model to build the repository's context, and for nothing else.")


def _max_tokens(request: dict[str, Any]) -> int:
    value = request.get("max_tokens")
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= limits.CALL_OUTPUT_TOKENS:
        raise _wrong(f"max_tokens must be a number from 1 to {limits.CALL_OUTPUT_TOKENS}.")
    return value


def _check_prompt(request: dict[str, Any]) -> int:
    """Check system prompt and messages; return the upper bound of their media's tokens."""
    media = _check_content(request.get("system", ""), "system", 0)
    messages = request.get("messages")
    if not isinstance(messages, list):
        raise _wrong("messages must be a list.")
    for message in messages:
        if not isinstance(message, dict):
            raise _wrong("Each message must be an object.")
        media += _check_content(message.get("content"), "messages", 0)
    return media


def _decoded(body: bytes) -> dict[str, Any]:
    # The standard library's parser, because it can tell of keys that are given twice: two parsers may disagree about
    # which of them counts, and the one upstream is not ours.
    try:
        request = json.loads(body, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"The body is not a JSON object: {error}") from error
    if not isinstance(request, dict):
        raise _wrong("The body is not a JSON object.")
    return request


def _check_tools(tools: object) -> None:
    if not isinstance(tools, list):
        raise _wrong("tools must be a list.")
    for tool in tools:
        kind = tool.get("type", "custom") if isinstance(tool, dict) else tool
        if kind != "custom":
            raise _forbidden(f"Only tools that run in the job are passed on, not {_named(kind)}.")


def _check_content(content: object, where: str, depth: int) -> int:
    """Refuse content that fetches something or is unknown; return the upper bound of its media's tokens."""
    if depth > limits.CALL_JSON_DEPTH:
        raise _wrong(f"{where} is nested too deeply.")
    if content is None or isinstance(content, str):
        return 0
    if not isinstance(content, list):
        raise _wrong(f"Content must be a text or a list of blocks ({where}).")
    return sum(_check_block(block, where, depth) for block in content)


def _check_block(block: object, where: str, depth: int) -> int:
    if not (isinstance(block, dict) and isinstance(kind := block.get("type"), str)):
        raise _wrong(f"Each content block must be an object with a type ({where}).")
    if kind not in BLOCKS:
        raise _forbidden(f"Content blocks of type {_named(kind)} are not passed on ({where}).")
    media = _check_content(block.get("content"), where, depth + 1)
    if kind not in MEDIA_TOKENS:
        return media
    source = block.get("source")
    if not isinstance(source, dict) or source.get("type") not in SOURCES:
        found = source.get("type") if isinstance(source, dict) else None
        raise _forbidden(f"Sources of type {_named(found)} are not passed on ({where}).")
    media += _check_content(source.get("content"), where, depth + 1)
    return media + (MEDIA_TOKENS[kind] if source["type"] == "base64" else 0)


_NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def _named(*values: object) -> str:
    """Return names fit for a logged sentence; a value that is not a plain name is replaced."""
    shown = (str(value) if isinstance(value, str) and _NAME.fullmatch(value) else "something else" for value in values)
    return ", ".join(list(dict.fromkeys(shown))[:10])


def _forbidden(sentence: str) -> Refused:
    return Refused(403, "permission_error", sentence)


def _wrong(sentence: str) -> Refused:
    return Refused(400, "invalid_request_error", sentence)
