"""What a job may ask of the Messages API."""

import json
from typing import Any

import pytest

from pipelines.language import Phase
from receiver import limits
from receiver.gateway.policy import MEDIA_TOKENS, Allowed, Refused, inspect

ANALYSIS = Allowed(phase=Phase.ANALYSIS, models=frozenset({"claude-sonnet-5-5"}))


def body(**over: Any) -> bytes:
    request = {"model": "claude-sonnet-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}
    return json.dumps({key: value for key, value in {**request, **over}.items() if value is not None}).encode()


def content(*blocks: dict[str, Any]) -> bytes:
    return body(messages=[{"role": "user", "content": list(blocks)}])


def test_a_plain_request_of_the_jobs_own_model_is_passed_on() -> None:
    call = inspect(body(stream=True), allowed=ANALYSIS, betas=())
    assert (call.model, call.max_tokens, call.stream) == ("claude-sonnet-5-5", 100, True)
    assert not inspect(body(), allowed=ANALYSIS, betas=()).stream


def test_a_request_may_be_as_large_as_the_limits_say() -> None:
    largest = body().ljust(limits.CALL_BODY)
    assert inspect(largest, allowed=ANALYSIS, betas=()).prompt_at_most > limits.CALL_BODY
    for tokens in (1, limits.CALL_OUTPUT_TOKENS):
        assert inspect(body(max_tokens=tokens), allowed=ANALYSIS, betas=()).max_tokens == tokens


@pytest.mark.parametrize(
    ("request_body", "status", "says"),
    [
        (body(model="claude-opus-5-5"), 403, "not claude-opus-5-5"),
        (body(model=["claude-sonnet-5-5"]), 403, "not something else"),
        (body(mcp_servers=[{"url": "https://example.com"}]), 403, "mcp_servers"),
        (body(container="c"), 403, "container"),
        (body(thread={"type": "continue"}), 403, "thread"),
        (body(inference_geo="us"), 403, "inference_geo"),
        (body(service_tier="priority"), 403, "service tier"),
        (body(tools=[{"type": "web_search_20260209", "name": "web_search"}]), 403, "web_search"),
        (body(tools=[{"type": "code_execution_20260120", "name": "code_execution"}]), 403, "code_execution"),
        (body(tools={"a": 1}), 400, "list"),
        (content({"type": "image", "source": {"type": "url", "url": "https://example.com/x"}}), 403, "url"),
        (content({"type": "document", "source": {"type": "file", "file_id": "f"}}), 403, "file"),
        (content({"type": "server_tool_use", "id": "x", "name": "web_fetch", "input": {}}), 403, "server_tool_use"),
        (
            content(
                {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": {"type": "url"}}]}
            ),
            403,
            "url",
        ),
        (
            content({"type": "document", "source": {"type": "content", "content": [{"type": "search_result"}]}}),
            403,
            "search_result",
        ),
        (body(max_tokens=0), 400, "max_tokens"),
        (body(stream=1), 400, "stream"),
        (body(messages=None), 400, "messages"),
        (body(messages=["hello"]), 400, "object"),
        (body(messages=[{"role": "user", "content": {"type": "image"}}]), 400, "list of blocks"),
        (body(messages=[{"role": "user", "content": ["hello"]}]), 400, "type"),
        (content({"type": ["text"]}), 400, "type"),
        (body(system=[{"type": "image", "source": {"type": "url"}}]), 403, "url"),
        (content({"type": "image"}), 403, "Sources"),
        (body(model="x" * 80), 403, "not something else"),
        (body(**{"web search": 1}), 403, "something else"),
        (body(max_tokens=limits.CALL_OUTPUT_TOKENS + 1), 400, "max_tokens"),
        (body(max_tokens=True), 400, "max_tokens"),
        (body(max_tokens=None), 400, "max_tokens"),
        (b"[]", 400, "JSON object"),
        (b"{", 400, "JSON object"),
        (body().ljust(limits.CALL_BODY + 1), 413, "limit"),
    ],
)
def test_whatever_could_be_a_way_out_is_refused_by_name(request_body: bytes, status: int, says: str) -> None:
    with pytest.raises(Refused, match=says) as refusal:
        inspect(request_body, allowed=ANALYSIS, betas=())
    assert refusal.value.status == status


@pytest.mark.parametrize("phase", [Phase.TESTING, Phase.MERGE_REQUEST, Phase.GENERATE])
def test_a_job_that_works_without_a_model_cant_call_one(phase: Phase) -> None:
    with pytest.raises(Refused, match="without a model"):
        inspect(body(), allowed=Allowed(phase=phase, models=ANALYSIS.models), betas=())


def test_betas_are_passed_on_only_when_listed() -> None:
    with pytest.raises(Refused, match="files-api"):
        inspect(body(), allowed=ANALYSIS, betas=["files-api-2025-04-14"])


def test_a_key_given_twice_cant_smuggle_another_value_past_the_check() -> None:
    twice = b'{"model": "claude-opus-5-5", "model": "claude-sonnet-5-5", "max_tokens": 1, "messages": []}'
    with pytest.raises(Refused, match="twice"):
        inspect(twice, allowed=ANALYSIS, betas=())


def in_a_result(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t", "content": list(blocks)}


def in_a_document(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "content", "content": list(blocks)}}


@pytest.mark.parametrize("nest", [in_a_result, in_a_document])
@pytest.mark.parametrize("place", [content, lambda block: body(system=[block])])
def test_content_nested_without_end_is_refused_and_not_followed(nest: Any, place: Any) -> None:
    block: dict[str, Any] = {"type": "text", "text": "x"}
    for _ in range(limits.CALL_JSON_DEPTH - 1):
        block = nest(block)
    assert inspect(place(block), allowed=ANALYSIS, betas=())
    with pytest.raises(Refused, match="deep"):
        inspect(place(nest(block)), allowed=ANALYSIS, betas=())


def test_a_prepare_job_may_only_build_context() -> None:
    context = Allowed(phase=Phase.PREPARE, models=ANALYSIS.models, purpose="context")
    assert inspect(body(), allowed=context, betas=()).model == "claude-sonnet-5-5"
    with pytest.raises(Refused, match="nothing else"):
        inspect(body(), allowed=Allowed(phase=Phase.PREPARE, models=ANALYSIS.models), betas=())


def test_a_prompt_s_bytes_bound_its_tokens_and_pictures_count_for_more() -> None:
    plain = body()
    assert inspect(plain, allowed=ANALYSIS, betas=()).prompt_at_most == len(plain) + limits.CALL_OVERHEAD_TOKENS
    for kind, tokens in MEDIA_TOKENS.items():
        block = {"type": kind, "source": {"type": "base64", "media_type": "x", "data": "AA=="}}
        for one in (content(block, block), content(in_a_result(block, block)), content(in_a_document(block, block))):
            at_most = inspect(one, allowed=ANALYSIS, betas=()).prompt_at_most
            assert at_most == len(one) + limits.CALL_OVERHEAD_TOKENS + 2 * tokens


def test_a_refusal_names_at_most_ten_things_and_each_once() -> None:
    with pytest.raises(Refused) as refusal:
        inspect(body(), allowed=ANALYSIS, betas=[f"beta-{number:02}" for number in (*range(10), 0, 11)])
    named = ", ".join(f"beta-{number:02}" for number in range(10))
    assert str(refusal.value) == f"Betas that the gateway does not pass on: {named}."


def test_counting_needs_no_max_tokens() -> None:
    assert inspect(body(max_tokens=None), allowed=ANALYSIS, betas=(), counting=True).max_tokens == 0
