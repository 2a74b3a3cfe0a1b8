"""Tool calls and their results must pair up: each `tool_use` is answered in the very next message. Checks only that."""

from collections import Counter

from sandbox.anthropic import wire
from sandbox.anthropic.errors import ApiError, invalid


def check_pairing(request: wire.CountRequest) -> None:
    """Refuse results without a call, calls without a result, ids used twice, results behind other content."""
    pending: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for index, message in enumerate(request.messages):
        results = _results(message)
        _check_results(index, results, pending, message)
        answered = {result.tool_use_id for _, result in results}
        missing = [call for call in pending if call not in answered]
        if missing:
            raise _unanswered(pending[missing[0]], missing)
        pending = {call.id: index for call in _calls(message)}
        seen.update(pending.keys())
        if len(pending) != len(_calls(message)) or any(seen[call] > 1 for call in pending):
            raise invalid(f"messages.{index}: `tool_use` ids must be unique")
    if pending:
        raise _unanswered(len(request.messages) - 1, list(pending))
    if seen and not request.tools:
        raise invalid("tools: Requests which include `tool_use` or `tool_result` blocks must define tools")


def _unanswered(index: int, calls: list[str]) -> ApiError:
    return invalid(
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(calls)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def _calls(message: wire.Message) -> list[wire.ToolUse]:
    return [block for block in message.content if isinstance(block, wire.ToolUse)]


def _results(message: wire.Message) -> list[tuple[int, wire.ToolResult]]:
    return [(place, block) for place, block in enumerate(message.content) if isinstance(block, wire.ToolResult)]


def _check_results(
    index: int, results: list[tuple[int, wire.ToolResult]], pending: dict[str, int], message: wire.Message
) -> None:
    counts = Counter(result.tool_use_id for _, result in results)
    for order, (place, result) in enumerate(results):
        if result.tool_use_id not in pending:
            raise invalid(
                f"messages.{index}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{result.tool_use_id}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                "previous message."
            )
        if counts[result.tool_use_id] > 1:
            raise invalid(
                f"messages.{index}.content.{place}: each tool_use must have a single result. Found multiple "
                f"`tool_result` blocks with id: {result.tool_use_id}"
            )
        if place != order:
            raise invalid(
                f"messages.{index}.content.{place}: `tool_result` blocks must come first in the content of a message, "
                f"before {type(message.content[place - 1]).__name__.lower()}"
            )
