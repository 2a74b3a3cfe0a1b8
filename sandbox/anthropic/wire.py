"""The shape of a request: Structs that accept what the API accepts of what is emulated. Rules between fields: rules.py.

Derived from the request types of the Anthropic SDK 2.12 (https://github.com/anthropics/anthropic-sdk-python).
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

ToolId = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]+$")]
ToolName = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,128}$")]


class CacheControl(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cache breakpoint."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class _Block(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What all content blocks share."""


class _Cacheable(_Block, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cache_control: CacheControl | None = None


class Text(_Cacheable, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="text"):
    """Plain text."""

    text: str
    citations: list[Any] | None = None


class Base64Source(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="base64"
):
    """Bytes in the request itself."""

    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf"]
    data: str


class PlainSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="text"):
    """A document given as text."""

    media_type: Literal["text/plain"]
    data: str


class Image(_Cacheable, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="image"):
    """A picture; URL and file sources are not emulated."""

    source: Base64Source
    transformations: dict[str, Any] | None = None


class Document(_Cacheable, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="document"):
    """A PDF or a text; URL and file sources are not emulated."""

    source: Base64Source | PlainSource
    citations: dict[str, Any] | None = None
    context: str | None = None
    title: str | None = None


class SearchResult(_Cacheable, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="search_result"):
    """A search result that the client brings itself."""

    content: list[Text]
    source: str
    title: str
    citations: dict[str, Any] | None = None


class Thinking(_Block, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="thinking"):
    """Thinking, given back as it came."""

    thinking: str
    signature: str


class RedactedThinking(_Block, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="redacted_thinking"):
    """Encrypted thinking, given back as it came."""

    data: str


class ToolUse(_Cacheable, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tool_use"):
    """A tool call of the model."""

    id: ToolId
    name: ToolName
    input: dict[str, Any]
    caller: dict[str, Any] | None = None
    toolset_name: str | None = None


class ToolResult(_Cacheable, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tool_result"):
    """What a tool call gave."""

    tool_use_id: ToolId
    content: str | list[Text | Image | Document | SearchResult] = ""
    is_error: bool = False
    toolset_name: str | None = None


UserBlock = Text | Image | Document | SearchResult | ToolResult
AssistantBlock = Text | Thinking | RedactedThinking | ToolUse


class _Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="role"):
    """What all messages share."""


class UserMessage(_Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="user"):
    """Written by the client, tool results included."""

    content: str | list[UserBlock]


class AssistantMessage(_Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="assistant"):
    """Written by the model."""

    content: str | list[AssistantBlock]


class SystemMessage(_Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="system"):
    """Instructions in the middle of a conversation."""

    content: str | list[Text]


Message = UserMessage | AssistantMessage | SystemMessage


class Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool of the client; Anthropic's own tool types are not emulated."""

    name: ToolName
    input_schema: dict[str, Any]
    description: str = ""
    type: Literal["custom"] | None = None
    strict: bool = False
    cache_control: CacheControl | None = None
    eager_input_streaming: bool | None = None
    input_examples: list[dict[str, Any]] = []
    allowed_callers: list[Literal["direct"]] = []


class _Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """What all tool choices share."""


class _ParallelChoice(_Choice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    disable_parallel_tool_use: bool = False


class ChooseAuto(_ParallelChoice, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="auto"):
    """The model decides."""


class ChooseAny(_ParallelChoice, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="any"):
    """Some tool must be used."""


class ChooseTool(_ParallelChoice, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tool"):
    """This tool must be used."""

    name: str


class ChooseNone(_Choice, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="none"):
    """No tool may be used."""


ToolChoice = ChooseAuto | ChooseAny | ChooseTool | ChooseNone


class ThinkingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether and how the model thinks."""

    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class JsonFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Structured output."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Effort and format of the answer."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: JsonFormat | None = None


class Metadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """About the request."""

    user_id: str | None = None


class CountRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /v1/messages/count_tokens`, and what it shares with `/v1/messages`."""

    model: Annotated[str, Meta(min_length=1, max_length=256)]
    messages: list[Message]
    system: str | list[Text] = ""
    tools: list[Tool] = []
    tool_choice: ToolChoice = ChooseAuto()
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig = OutputConfig()
    cache_control: CacheControl | None = None
    speed: Literal["standard"] | None = None
    """Fast mode is not emulated."""


class CreateRequest(CountRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /v1/messages`."""

    max_tokens: Annotated[int, Meta(ge=0)]
    stream: bool = False
    stop_sequences: list[str] = []
    metadata: Metadata = Metadata()
    service_tier: Literal["auto", "standard_only"] = "auto"
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
