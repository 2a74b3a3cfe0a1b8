"""The real Anthropic SDK over a real socket."""

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from anthropic import beta_async_tool, beta_tool

pytestmark = pytest.mark.integration

Body = Callable[..., dict[str, Any]]
Books = Callable[[], dict[str, Any]]


@beta_tool
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@beta_async_tool(name="add")
async def add_async(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


def test_a_message_has_text_tool_calls_usage_and_a_request_id(sdk: anthropic.Anthropic, request_body: Body) -> None:
    message = sdk.messages.create(**request_body())
    thinking, text, call = message.content
    assert thinking.type == "thinking"
    assert thinking.thinking == ""
    assert text.type == "text"
    assert text.text == "I look at the form first."
    assert call.type == "tool_use"
    assert call.input == {"a": 2, "b": 3}
    assert message.stop_reason == "tool_use"
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0
    assert message._request_id is not None


def test_a_stream_gives_the_same_message_and_the_same_final_usage(sdk: anthropic.Anthropic, request_body: Body) -> None:
    whole = sdk.messages.create(**request_body())
    with sdk.messages.stream(**request_body()) as stream:
        kinds = [event.type for event in stream]
        streamed = stream.get_final_message()
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 3
    assert [block.type for block in streamed.content] == [block.type for block in whole.content]
    assert streamed.content[2].input == whole.content[2].input  # type: ignore[union-attr]  # the third block is a call
    assert streamed.usage.output_tokens == whole.usage.output_tokens
    assert streamed.usage.input_tokens == whole.usage.input_tokens
    assert streamed.stop_reason == whole.stop_reason


def test_the_tool_runner_plays_a_conversation_to_its_end(
    sdk: anthropic.Anthropic, request_body: Body, books: Books
) -> None:
    body = request_body(tools=[add])
    final = sdk.beta.messages.tool_runner(**body, thread=False).until_done()
    assert [block.type for block in final.content] == ["text"]
    assert [row["turn"] for row in books()["rows"]] == [0, 1]


def test_parallel_calls_are_answered_in_one_message(sdk: anthropic.Anthropic, request_body: Body, books: Books) -> None:
    body = request_body("implementation", tools=[add])
    runner = sdk.beta.messages.tool_runner(**body, stream=True, thread=False)
    for stream in runner:
        stream.until_done()
    assert books()["by_status"]["ok"]["billed_requests"] == 2


def test_the_asynchronous_client_works_too(url: str, request_body: Body) -> None:
    async def run() -> str:
        async with anthropic.AsyncAnthropic(base_url=url, auth_token="sk-two") as client:
            runner = client.beta.messages.tool_runner(**request_body(tools=[add_async]), thread=False)
            final = await runner.until_done()
            async with client.messages.stream(**request_body("testing")) as stream:
                text = await stream.get_final_text()
        return final.content[0].text + text  # type: ignore[union-attr]  # a text block

    assert asyncio.run(run()) == "The sum is 5, naïvely.x"


def test_counting_gives_what_a_message_is_billed_for(sdk: anthropic.Anthropic, request_body: Body) -> None:
    body = request_body()
    counted = sdk.messages.count_tokens(**{name: value for name, value in body.items() if name != "max_tokens"})
    assert counted.input_tokens == sdk.messages.create(**body).usage.input_tokens


def test_a_wrong_key_is_an_authentication_error(url: str, request_body: Body) -> None:
    client = anthropic.Anthropic(base_url=url, api_key="sk-wrong", max_retries=0)
    with client, pytest.raises(anthropic.AuthenticationError) as refused:
        client.messages.create(**request_body())
    assert refused.value.request_id is not None


def test_server_side_threads_are_refused_by_name(sdk: anthropic.Anthropic, request_body: Body) -> None:
    with pytest.raises(anthropic.BadRequestError, match="message-threads"):
        sdk.beta.messages.tool_runner(**request_body(tools=[add])).until_done()
