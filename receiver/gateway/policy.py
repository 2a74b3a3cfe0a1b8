"""What a job may ask of the Messages API. Pure: reads a body, never rewrites it.

An allow-list: what is not named here is refused by name, because a feature that nobody named may be a way out for
data or money.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from pipelines.model import Phase

MAX_BODY = 32 * 1024 * 1024
"""Bytes; the Messages API takes no more."""

MAY_CALL = frozenset({Phase.ANALYSIS, Phase.PREPARE, Phase.REPRODUCTION, Phase.IMPLEMENTATION})
"""Phases whose jobs work with a model."""

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
"""Top-level parameters. Not among them: mcp_servers, container, context_management, thread, inference_geo, speed."""

BLOCKS = frozenset({"text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking"})
SOURCES = frozenset({"base64", "text", "content"})
"""Where images and documents may come from: inside the request. Not: url, file."""

BETAS: frozenset[str] = frozenset({"interleaved-thinking-2025-05-14", "fine-grained-tool-streaming-2025-05-14"})
MAX_OUTPUT = 64_000
DEPTH = 40


class Refused(Exception):  # noqa: N818 - a refusal is a value here: status, type and sentence
    """The gateway won't forward this request; the message is a sentence for the job's log."""

    def __init__(self, status: int, kind: str, sentence: str, *, retry_after_s: int | None = None) -> None:
        """Remember what to answer: HTTP status, Anthropic's error type, sentence, seconds to wait."""
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


class Allowed(Struct, frozen=True, kw_only=True):
    """What this session may ask for."""

    phase: Phase
    models: frozenset[str]


def inspect(body: bytes, *, allowed: Allowed, betas: Iterable[str], counting: bool = False) -> Call:
    """Return what the request asks for. Raises Refused with the reason when it may not."""
    if allowed.phase not in MAY_CALL:
        raise _forbidden(f"A {allowed.phase} job works without a model; its session can't call the gateway.")
    if len(body) > MAX_BODY:
        raise Refused(413, "request_too_large", f"The request has {len(body)} bytes; the limit is {MAX_BODY}.")
    request = _decoded(body)
    if unknown := sorted(set(request) - PARAMETERS):
        raise _forbidden(f"Parameters that the gateway does not pass on: {', '.join(unknown)[:200]}.")
    if foreign := sorted(set(betas) - BETAS):
        raise _forbidden(f"Betas that the gateway does not pass on: {', '.join(foreign)[:200]}.")
    model, max_tokens = request.get("model"), request.get("max_tokens", 0 if counting else None)
    if not isinstance(model, str) or model not in allowed.models:
        raise _forbidden(f"This job may use {', '.join(sorted(allowed.models))}, not {str(model)[:80]}.")
    if not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens < 0 or max_tokens > MAX_OUTPUT:
        raise Refused(400, "invalid_request_error", f"max_tokens must be a number from 1 to {MAX_OUTPUT}.")
    if request.get("service_tier", "standard_only") not in {"standard_only", "auto"}:
        raise _forbidden("Only the standard service tier is passed on.")
    _check_tools(request.get("tools", []))
    _check_blocks(request.get("system"), "system", 0)
    for message in request.get("messages") or []:
        _check_blocks(message.get("content") if isinstance(message, dict) else None, "messages", 0)
    return Call(model=model, max_tokens=max_tokens, stream=request.get("stream") is True)


def _decoded(body: bytes) -> dict[str, Any]:
    # The standard library's parser, because it can tell of keys that are given twice: two parsers may disagree about
    # which of them counts, and the one upstream is not ours.
    try:
        request = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "invalid_request_error", f"The body is not a JSON object: {error}") from error
    if not isinstance(request, dict):
        raise Refused(400, "invalid_request_error", "The body is not a JSON object.")
    return request


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _check_tools(tools: object) -> None:
    if not isinstance(tools, list):
        raise Refused(400, "invalid_request_error", "tools must be a list.")
    for tool in tools:
        kind = tool.get("type", "custom") if isinstance(tool, dict) else tool
        if kind != "custom":
            raise _forbidden(f"Only tools that run in the job are passed on, not {str(kind)[:80]}.")


def _check_blocks(content: object, where: str, depth: int) -> None:
    """Refuse content blocks that fetch something or that we don't know."""
    if depth > DEPTH:
        raise Refused(400, "invalid_request_error", f"{where} is nested too deeply.")
    if not isinstance(content, list):
        return
    for block in content:
        if not isinstance(block, dict):
            continue
        kind = block.get("type")
        if kind not in BLOCKS:
            raise _forbidden(f"Content blocks of type {str(kind)[:80]} are not passed on ({where}).")
        source = block.get("source")
        if isinstance(source, Mapping):
            if source.get("type") not in SOURCES:
                raise _forbidden(f"Sources of type {str(source.get('type'))[:80]} are not passed on ({where}).")
            _check_blocks(source.get("content"), where, depth + 1)
        _check_blocks(block.get("content"), where, depth + 1)


def _forbidden(sentence: str) -> Refused:
    return Refused(403, "permission_error", sentence)
