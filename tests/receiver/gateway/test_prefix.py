"""What the gateway measures of a request: the part that other calls can share, and whether a conversation begins."""

from typing import Any

import pytest

from receiver.gateway.prefix import prefix

HOUR = {"type": "ephemeral", "ttl": "1h"}
USER = {"role": "user", "content": "Fix it."}
ANSWER = {"role": "assistant", "content": "Done."}
REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 8000,
    "tools": [{"name": "read", "input_schema": {}}],
    "system": [{"type": "text", "text": "You fix bugs."}, {"type": "text", "text": "Context.", "cache_control": HOUR}],
    "messages": [USER],
}


@pytest.mark.parametrize(
    "changes",
    [
        {"max_tokens": 1},
        {"messages": [USER, ANSWER, USER]},
        {"system": [*REQUEST["system"], {"type": "text", "text": "This ticket."}]},
        {"tools": [{"input_schema": {}, "name": "read"}]},
        {"stream": True},
    ],
)
def test_what_comes_after_the_last_breakpoint_is_not_part_of_the_prefix(changes: dict[str, Any]) -> None:
    assert prefix(REQUEST | changes).sha256 == prefix(REQUEST).sha256 is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "claude-haiku-5-5"},
        {"tools": []},
        {"system": [{"type": "text", "text": "You fix bugs!"}, REQUEST["system"][1]]},
        {"system": REQUEST["system"][::-1]},
    ],
)
def test_what_comes_before_it_is(changes: dict[str, Any]) -> None:
    assert prefix(REQUEST | changes).sha256 != prefix(REQUEST).sha256


@pytest.mark.parametrize("system", ["You fix bugs.", [{"type": "text", "text": "You fix bugs."}], None, [7]])
def test_a_request_without_a_breakpoint_shares_nothing(system: object) -> None:
    assert prefix(REQUEST | {"system": system}).sha256 is None


def test_a_breakpoint_in_the_tools_ends_the_prefix_there() -> None:
    tools = [REQUEST["tools"][0] | {"cache_control": HOUR}, {"name": "write", "input_schema": {}}]
    found = prefix({"model": "m", "tools": tools, "system": "Any.", "messages": [USER]})
    assert found.sha256 == prefix({"model": "m", "tools": tools[:1], "messages": []}).sha256 is not None


def test_a_call_with_an_answer_of_the_model_opens_no_conversation() -> None:
    assert prefix(REQUEST).is_first
    assert not prefix(REQUEST | {"messages": [USER, ANSWER, USER]}).is_first
