"""Which requests are accepted, and with which words the others are refused. Pure: no socket."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sandbox.anthropic import rules, wire
from sandbox.anthropic.emulator import measure
from sandbox.anthropic.errors import ApiError
from sandbox.anthropic.models import MODELS
from sandbox.anthropic.parse import _NOT_EMULATED, MAX_BYTES, parse

Body = Callable[..., dict[str, Any]]

USER = {"role": "user", "content": "Hi"}
CALL: dict[str, Any] = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1, "b": 2}}],
}
RESULT: dict[str, Any] = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "3"}]}
SECOND: dict[str, Any] = {
    "role": "user",
    "content": [{"type": "tool_result", "tool_use_id": "t2", "content": "3"}],
}
HOUR = {"type": "ephemeral", "ttl": "1h"}
MINUTES = {"type": "ephemeral"}


def text(value: str = "Hi", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def tool(name: str = "add", **schema: Any) -> dict[str, Any]:
    return {"name": name, "strict": True, "input_schema": {"type": "object", "additionalProperties": False} | schema}


RECURSIVE: dict[str, Any] = {
    "properties": {"x": {"$ref": "#/$defs/X"}},
    "required": ["x"],
    "$defs": {"X": {"anyOf": [{"$ref": "#/$defs/X"}]}},
}


def judge(body: dict[str, Any]) -> None:
    parsed = parse(msgspec.json.encode(body), wire.CreateRequest)
    model = rules.find_model(parsed.request.model)
    rules.check_create(parsed.request, model)
    measure(parsed, model)


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}

ACCEPTED: dict[str, dict[str, Any]] = {
    "the least": {"tools": None, "system": None},
    "system as blocks": {"system": [text(cache_control=HOUR)]},
    "an hour before five minutes": {"system": [text(cache_control=HOUR), text(cache_control=MINUTES)]},
    "automatic caching": {"cache_control": MINUTES},
    "automatic caching on a block with the same ttl": {
        "cache_control": HOUR,
        "messages": [user(text(cache_control=HOUR))],
    },
    "a picture": {"messages": [user(IMAGE, text())]},
    "a picture in a tool result": {
        "messages": [USER, CALL, user({"type": "tool_result", "tool_use_id": "t1", "content": [IMAGE, text()]})]
    },
    "a document": {
        "messages": [
            user({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}, text())
        ]
    },
    "a call and its result": {"messages": [USER, CALL, RESULT]},
    "a second round of calls": {
        "messages": [USER, CALL, RESULT, msgspec.json.decode(msgspec.json.encode(CALL).replace(b"t1", b"t2")), SECOND]
    },
    "a failed call, then text": {
        "messages": [USER, CALL, user({"type": "tool_result", "tool_use_id": "t1", "is_error": True}, text())]
    },
    "adaptive thinking and effort": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
    "structured output": {
        "output_config": {
            "format": {
                "type": "json_schema",
                "schema": {
                    "type": "object",
                    "properties": {"x": {"$ref": "#/$defs/X"}, "y": {"type": ["string", "null"]}},
                    "required": ["x", "y"],
                    "additionalProperties": False,
                    "$defs": {"X": {"enum": ["a", "b"]}},
                },
            }
        }
    },
    "a system message in the middle": {"messages": [USER, {"role": "system", "content": "Be brief."}, USER]},
    "forced tool use where allowed": {"model": "claude-haiku-5-5", "tool_choice": {"type": "tool", "name": "add"}},
    "prefill where allowed": {
        "model": "claude-haiku-4-5",
        "messages": [USER, {"role": "assistant", "content": "So"}],
    },
    "no answer wanted, only a warm cache": {"max_tokens": 0},
    "the rest": {
        "metadata": {"user_id": "u"},
        "service_tier": "auto",
        "speed": "standard",
        "stop_sequences": ["END"],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    },
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no max_tokens": ({"max_tokens": None}, "max_tokens: Field required"),
    "max_tokens beyond the model": ({"max_tokens": 128_001}, "max_tokens: 128001 > 128000, which is the maximum"),
    "negative max_tokens": ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    "no messages": ({"messages": []}, "messages: at least one message is required"),
    "messages of a wrong type": ({"messages": "Hi"}, "messages: Input should be a valid list"),
    "unknown parameter": ({"temprature": 1}, "temprature: Extra inputs are not permitted"),
    "a thread": ({"thread": {"type": "new"}}, "thread: Extra inputs are not permitted"),
    "betas in the body": ({"betas": ["x"]}, "betas: Extra inputs are not permitted"),
    "MCP": ({"mcp_servers": []}, "mcp_servers: is not emulated"),
    "another region": ({"inference_geo": "us"}, "inference_geo: is not emulated"),
    "fast mode": ({"speed": "fast"}, "speed: Input 'fast' is not one of"),
    "assistant first": (
        {"messages": [{"role": "assistant", "content": "x"}, USER]},
        'first message must use the "user"',
    ),
    "unknown role": ({"messages": [USER, {"role": "tool", "content": "x"}]}, "messages.1.role: Input 'tool'"),
    "empty content": ({"messages": [{"role": "user", "content": ""}]}, "messages.0: all messages must have non-empty"),
    "empty list of blocks": ({"messages": [user()]}, "messages.0: all messages must have non-empty content"),
    "empty text": ({"messages": [user(text(""))]}, "messages.0.content.0: text content blocks must be non-empty"),
    "blank text": ({"messages": [user(text(" \n"))]}, "must contain non-whitespace text"),
    "unknown block": ({"messages": [user({"type": "video"})]}, "messages.0.content.0.type: Input 'video'"),
    "unknown key of a block": ({"messages": [user(text(x=1))]}, "messages.0.content.0.x: Extra inputs"),
    "a picture by URL": (
        {"messages": [user({"type": "image", "source": {"type": "url", "url": "https://example.org/x.png"}})]},
        "messages.0.content.0.source.type: Input 'url'",
    ),
    "a call of the user": ({"messages": [user(CALL["content"][0])]}, "messages.0.content.0.type: Input 'tool_use'"),
    "a call without a result": (
        {"messages": [USER, CALL, USER]},
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1.",
    ),
    "a result without a call": (
        {"messages": [RESULT]},
        "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t1.",
    ),
    "two results of one call": ({"messages": [USER, CALL, user(*RESULT["content"] * 2)]}, "must have a single result"),
    "text before a result": (
        {"messages": [USER, CALL, user(text(), *RESULT["content"])]},
        "messages.2.content.1: `tool_result` blocks must come first",
    ),
    "one id twice": ({"messages": [USER, CALL, RESULT, CALL, RESULT]}, "messages.3: `tool_use` ids must be unique"),
    "calls but no tools": ({"messages": [USER, CALL, RESULT], "tools": None}, "must define tools"),
    "prefill": (
        {"messages": [USER, {"role": "assistant", "content": "So"}]},
        "does not support assistant message prefill",
    ),
    "forced tool use": ({"tool_choice": {"type": "any"}}, "forced tool use"),
    "a forced tool that is not there": (
        {"model": "claude-haiku-5-5", "tool_choice": {"type": "tool", "name": "sub"}},
        "Tool 'sub' not found in provided tools",
    ),
    "temperature": ({"temperature": 0.5}, "`temperature` is deprecated for this model."),
    "thinking switched off where it is always on": (
        {"thinking": {"type": "disabled"}},
        '"thinking.type.disabled" is not supported for this model.',
    ),
    "a thinking budget too small": (
        {"model": "claude-haiku-4-5", "thinking": {"type": "enabled", "budget_tokens": 100}},
        "budget_tokens: Input should be greater than or equal to 1024",
    ),
    "forged thinking": (
        {
            "messages": [
                USER,
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "y"}]},
                USER,
            ]
        },
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ),
    "a server tool": ({"tools": [{"type": "web_search_20260318", "name": "web_search"}]}, "tools.0.type: 'web_search_"),
    "two tools of one name": ({"tools": [tool(), tool()]}, "Tool names must be unique"),
    "a tool's name": ({"tools": [tool("a b")]}, "tools.0.name: String should match pattern"),
    "a schema without type": ({"tools": [{"name": "t", "input_schema": {}}]}, "input_schema.type: Field required"),
    "strict but open": (
        {"tools": [tool(additionalProperties=True)]},
        "'additionalProperties' must be explicitly set to false",
    ),
    "strict with too much that is optional": (
        {"tools": [tool(properties={f"x{n}": {"type": "string"} for n in range(25)})]},
        "too many optional parameters (25); limit: 24",
    ),
    "strict, nested and open": (
        {"tools": [tool(properties={"x": {"type": "array", "items": {"type": "object"}}}, required=["x"])]},
        "'additionalProperties' must be explicitly set to false",
    ),
    "strict with a bound": (
        {"tools": [tool(properties={"x": {"type": "integer", "minimum": 1}}, required=["x"])]},
        "For 'integer' type, properties minimum are not supported",
    ),
    "strict and recursive": ({"tools": [tool(**RECURSIVE)]}, "Circular reference"),
    "five breakpoints": (
        {"messages": [user(*[text(cache_control=MINUTES)] * 5)]},
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    "four and the automatic one": (
        {"cache_control": MINUTES, "messages": [user(*[text(cache_control=MINUTES)] * 4, text())]},
        "Found 5.",
    ),
    "five minutes before an hour": (
        {"system": [text(cache_control=MINUTES)], "messages": [user(text(cache_control=HOUR))]},
        "messages.0.content.0.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m'",
    ),
    "another ttl": ({"system": [text(cache_control={"type": "ephemeral", "ttl": "2h"})]}, "system.0.cache_control.ttl"),
    "another automatic ttl": (
        {"cache_control": MINUTES, "messages": [user(text(cache_control=HOUR))]},
        "Top-level cache_control has ttl='5m' but the target block already has cache_control with ttl='1h'",
    ),
    "a breakpoint inside of a result": (
        {
            "messages": [
                USER,
                CALL,
                user({"type": "tool_result", "tool_use_id": "t1", "content": [text(cache_control=MINUTES)]}),
            ]
        },
        "not permitted inside of a tool result",
    ),
    "a blank stop sequence": (
        {"stop_sequences": [" "]},
        "stop_sequences: each stop sequence must contain non-whitespace",
    ),
    "thinking without a budget": (
        {"model": "claude-haiku-4-5", "thinking": {"type": "enabled"}},
        "thinking.enabled.budget_tokens: Field required",
    ),
    "a thinking budget beyond max_tokens": (
        {"model": "claude-haiku-4-5", "thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1024},
        "`max_tokens` must be greater than `thinking.budget_tokens`.",
    ),
    "a system message where none is allowed": (
        {"model": "claude-haiku-4-5", "messages": [USER, {"role": "system", "content": "x"}, USER]},
        "messages.1.role: this model does not support",
    ),
    "a blank message": ({"messages": [{"role": "user", "content": " "}]}, "must contain non-whitespace text"),
    "a breakpoint on nothing": (
        {"system": [text("", cache_control=MINUTES)]},
        "system.0.cache_control: cache_control cannot be set for empty text blocks",
    ),
    "a union as a tool's input": (
        {"tools": [tool(anyOf=[])]},
        "does not support oneOf, allOf, or anyOf at the top level",
    ),
    "forced tool use without tools": (
        {"model": "claude-haiku-5-5", "tool_choice": {"type": "any"}, "tools": None},
        "tool_choice: may only be specified while providing tools",
    ),
    "forced tool use while thinking": (
        {"model": "claude-haiku-5-5", "tool_choice": {"type": "any"}, "thinking": {"type": "adaptive"}},
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    "strict with a type of no JSON": (
        {"tools": [tool(properties={"x": {"type": "date"}}, required=["x"])]},
        "Type 'date' is not a JSON Schema type",
    ),
    "strict with many items": (
        {"tools": [tool(properties={"x": {"type": "array", "items": {}, "minItems": 2}}, required=["x"])]},
        "'minItems' values other than 0 or 1 are not supported",
    ),
    "strict with a reference to elsewhere": (
        {"tools": [tool(properties={"x": {"$ref": "https://example.org/x.json"}}, required=["x"])]},
        "does not name one of the schema's own $defs",
    ),
    "the same id twice in one message": (
        {"messages": [USER, {"role": "assistant", "content": CALL["content"] * 2}, RESULT]},
        "messages.1: `tool_use` ids must be unique",
    ),
    "too long": (
        {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "x" * 800_004}]},
        "prompt is too long: ",
    ),
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=list(ACCEPTED))
def test_what_the_vendor_accepts_is_accepted(
    changes: dict[str, Any], request_body: Body, conforms: Callable[[str, Any], None]
) -> None:
    body = request_body(**changes)
    judge(body)
    conforms("request_message_create.schema.json", body)


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=list(REFUSED))
def test_what_the_vendor_refuses_is_refused_by_name(changes: dict[str, Any], words: str, request_body: Body) -> None:
    with pytest.raises(ApiError) as refused:
        judge(request_body(**changes))
    assert words in refused.value.message
    assert refused.value.kind.status == 400


def test_an_unknown_model_is_not_found(request_body: Body) -> None:
    with pytest.raises(ApiError) as refused:
        judge(request_body(model="claude-nobody"))
    assert (refused.value.kind.status, refused.value.message) == (404, "model: claude-nobody")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"a":' * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError, match="JSON"):
        parse(body, wire.CreateRequest)


def test_a_body_of_more_than_32_mb_is_too_large() -> None:
    with pytest.raises(ApiError) as refused:
        parse(b" " * (MAX_BYTES + 1), wire.CreateRequest)
    assert (refused.value.kind.type, refused.value.kind.status) == ("request_too_large", 413)


@pytest.mark.parametrize(
    ("schema", "shape"),
    [
        ("request_message_create_streaming.schema.json", wire.CreateRequest),
        ("request_count_tokens.schema.json", wire.CountRequest),
    ],
)
def test_every_parameter_of_the_vendor_is_known_or_refused_by_name(
    schema: str, shape: type[wire.CountRequest], contract: Callable[[str], Any]
) -> None:
    published = contract(schema)
    assert set(published["properties"]) <= {*shape.__struct_fields__, *_NOT_EMULATED}
    required = {field.name for field in msgspec.structs.fields(shape) if field.required}
    assert required == set(published["required"]) - {"stream"}


def test_every_block_key_of_ours_is_one_of_the_vendors(contract: Callable[[str], Any]) -> None:
    published = contract("request_message_create.schema.json")["$defs"]
    for ours, theirs in {
        wire.Text: "TextBlockParam",
        wire.Image: "ImageBlockParam",
        wire.Document: "DocumentBlockParam",
        wire.SearchResult: "SearchResultBlockParam",
        wire.Thinking: "ThinkingBlockParam",
        wire.RedactedThinking: "RedactedThinkingBlockParam",
        wire.ToolUse: "ToolUseBlockParam",
        wire.ToolResult: "ToolResultBlockParam",
    }.items():
        assert {*ours.__struct_fields__, "type"} == set(published[theirs]["properties"]), theirs
    assert set(published["ToolParam"]["properties"]) - {"defer_loading"} <= set(wire.Tool.__struct_fields__)


def test_the_models_that_the_sdk_names_are_served_but_for_those_that_the_docstring_leaves_out(
    contract: Callable[[str], Any],
) -> None:
    named = set(contract("request_message_create.schema.json")["properties"]["model"]["anyOf"][0]["enum"])
    assert named - set(MODELS) == {"claude-mythos-preview", "claude-mythos-5-2"}
    assert set(MODELS) <= named
