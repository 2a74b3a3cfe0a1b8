"""What the API demands between the fields of a request, and of this model. Pure; shapes are checked by parse.py.

Wordings are those that clients have reported of the real API where such a report was found.
"""

from collections.abc import Sequence

from sandbox.anthropic import wire
from sandbox.anthropic.errors import ApiError, Kind, invalid
from sandbox.anthropic.models import MODELS, Model, Refusal
from sandbox.anthropic.pairing import check_pairing
from sandbox.anthropic.strict import check_strict


def find_model(name: str) -> Model:
    """Return the model of a request; 404 where the API has none of that name."""
    try:
        return MODELS[name]
    except KeyError:
        raise ApiError(Kind.NOT_FOUND, f"model: {name}") from None


def check(request: wire.CountRequest, model: Model) -> None:
    """Check what `messages` and `count_tokens` have in common."""
    _check_messages(request.messages, model)
    if isinstance(request.system, list):
        _check_texts(request.system, "system")
    _check_tools(request)
    _check_tool_choice(request, model)
    check_pairing(request)
    if request.output_config.format is not None:
        check_strict(request.output_config.format.schema, "output_config.format.schema")
    if request.thinking is not None and request.thinking.type not in model.thinking.value:
        raise invalid(f'"thinking.type.{request.thinking.type}" is not supported for this model.')


def check_create(request: wire.CreateRequest, model: Model) -> None:
    """Check what only `messages` has."""
    if request.max_tokens > model.max_output:
        raise invalid(
            f"max_tokens: {request.max_tokens} > {model.max_output}, which is the maximum allowed number of output "
            f"tokens for {model.id}"
        )
    if Refusal.SAMPLING in model.refuses:
        for name in ("temperature", "top_p", "top_k"):
            if getattr(request, name) is not None:
                raise invalid(f"`{name}` is deprecated for this model.")
    if any(not sequence.strip() for sequence in request.stop_sequences):
        raise invalid("stop_sequences: each stop sequence must contain non-whitespace")
    thinking = request.thinking
    if thinking is not None and thinking.type == "enabled":
        budget = thinking.budget_tokens
        if budget is None:
            raise invalid("thinking.enabled.budget_tokens: Field required")
        if budget < 1024:
            raise invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        if budget >= request.max_tokens:
            raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _check_messages(messages: Sequence[wire.Message], model: Model) -> None:
    if not messages:
        raise invalid("messages: at least one message is required")
    if not isinstance(messages[0], wire.UserMessage):
        raise invalid('messages: first message must use the "user" role')
    prefill = Refusal.PREFILL not in model.refuses
    for index, message in enumerate(messages):
        last_of_assistant = index == len(messages) - 1 and isinstance(message, wire.AssistantMessage)
        if isinstance(message, wire.SystemMessage) and Refusal.SYSTEM_MESSAGE in model.refuses:
            raise invalid(f"messages.{index}.role: this model does not support messages with the role `system`")
        if last_of_assistant and not prefill:
            raise invalid(
                "This model does not support assistant message prefill. The conversation must end with a user message."
            )
        if not message.content and not last_of_assistant:
            raise invalid(
                f"messages.{index}: all messages must have non-empty content except for the optional final assistant "
                "message"
            )
        if isinstance(message.content, list):
            _check_texts(message.content, f"messages.{index}.content")
        elif not message.content.strip() and message.content:
            raise invalid("messages: text content blocks must contain non-whitespace text")


def _check_texts(blocks: Sequence[object], where: str) -> None:
    for index, block in enumerate(blocks):
        if isinstance(block, wire.Text):
            if not block.text and block.cache_control is not None:
                raise invalid(f"{where}.{index}.cache_control: cache_control cannot be set for empty text blocks")
            if not block.text:
                raise invalid(f"{where}.{index}: text content blocks must be non-empty")
            if not block.text.strip():
                raise invalid(f"{where}.{index}: text content blocks must contain non-whitespace text")
        if isinstance(block, wire.ToolResult) and isinstance(block.content, list):
            for inner, part in enumerate(block.content):
                if part.cache_control is not None:
                    raise invalid(
                        f"{where}.{index}.tool_result.content.{inner}.cache_control: not permitted inside of a tool "
                        "result; put it on the tool_result block"
                    )


def _check_tools(request: wire.CountRequest) -> None:
    names = [tool.name for tool in request.tools]
    if len(set(names)) != len(names):
        raise invalid("tools: Tool names must be unique.")
    for index, tool in enumerate(request.tools):
        where = f"tools.{index}.custom"
        if tool.input_schema.get("type") != "object":
            problem = "Field required" if "type" not in tool.input_schema else "Input should be 'object'"
            raise invalid(f"{where}.input_schema.type: {problem}")
        for keyword in ("oneOf", "allOf", "anyOf"):
            if keyword in tool.input_schema:
                raise invalid(
                    f"{where}.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level"
                )
        if tool.strict:
            check_strict(tool.input_schema, where)


def _check_tool_choice(request: wire.CountRequest, model: Model) -> None:
    choice = request.tool_choice
    forced = isinstance(choice, wire.ChooseAny | wire.ChooseTool)
    if forced and not request.tools:
        raise invalid("tool_choice: may only be specified while providing tools")
    if forced and Refusal.FORCED_TOOL_USE in model.refuses:
        raise invalid("tool_choice: forced tool use (`any`, `tool`) is not supported for this model; use `auto`")
    if forced and request.thinking is not None and request.thinking.type != "disabled":
        raise invalid("Thinking may not be enabled when tool_choice forces tool use.")
    if isinstance(choice, wire.ChooseTool) and choice.name not in {tool.name for tool in request.tools}:
        raise invalid(f"Tool '{choice.name}' not found in provided tools")
