"""Who is let through the gateway, and how everybody else is told: always in Anthropic's shape."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import anthropic
import pytest

from pipelines.language import Phase
from receiver import limits

pytestmark = pytest.mark.integration

Body = Callable[..., dict[str, Any]]


def told(answer: Any) -> tuple[int, str]:
    """Return status and error type, having checked that the answer has the shape of the vendor's errors."""
    body = answer.json()
    assert set(body) == {"type", "error", "request_id"}
    assert body["type"] == "error"
    assert set(body["error"]) == {"type", "message"}
    assert len(body["error"]["message"]) > 10
    assert answer.headers["content-type"] == "application/json"
    assert ("retry-after" in answer.headers) is not (answer.headers.get("x-should-retry") == "false")
    return answer.status_code, body["error"]["type"]


@pytest.mark.parametrize("token", [None, "x", "guessed", "glpat-writes"])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_without_a_session_nothing_is_forwarded(
    token: str | None, path: str, rough: Any, upstream: Any, request_body: Body
) -> None:
    with rough.http(token) as client:
        assert told(client.post(path, json=request_body())) == (401, "authentication_error")
    assert upstream.got == []


@pytest.mark.parametrize(
    ("phase", "purpose"),
    [
        (Phase.ANALYSIS, "work"),
        (Phase.REPRODUCTION, "work"),
        (Phase.IMPLEMENTATION, "work"),
        (Phase.REVIEW, "work"),
        (Phase.PREPARE, "context"),
    ],
)
def test_phases_that_work_with_a_model_may_call_one(
    phase: Phase, purpose: str, rough: Any, upstream: Any, request_body: Body
) -> None:
    upstream.script = [b"{}"]
    with rough.http(rough.session(phase)) as client:
        client.post("/v1/messages", json=request_body(), headers={"x-bug-fix-purpose": purpose})
    assert len(upstream.got) == 1


@pytest.mark.parametrize(
    ("phase", "purpose"),
    [
        (Phase.PREPARE, "work"),
        (Phase.GENERATE, "context"),
        (Phase.TESTING, "work"),
        (Phase.TESTING, "context"),
        (Phase.MERGE_REQUEST, "work"),
    ],
)
def test_phases_that_work_without_a_model_can_t_call_one_and_the_story_tells_that_they_tried(
    phase: Phase, purpose: str, rough: Any, upstream: Any, request_body: Body
) -> None:
    with rough.http(rough.session(phase)) as client:
        answer = client.post("/v1/messages", json=request_body(), headers={"x-bug-fix-purpose": purpose})
    assert told(answer) == (403, "permission_error")
    assert upstream.got == []
    assert any(reason.startswith(str(phase)) for reason in rough.desk.refusals())


def test_a_job_that_has_ended_can_t_call(rough: Any, desk: Any, upstream: Any, request_body: Body) -> None:
    token = rough.session(job=7)
    for status in ("canceling", "success"):
        desk.rows("DELETE FROM jobs")
        desk.rows(
            "INSERT INTO jobs (id, pipeline_id, project_id, run_id, iteration, name, stage, status, seen_at)"
            " SELECT 7, 100, 1, id, 1, 'analysis', 's', %s, now() FROM runs",
            status,
        )
        with rough.http(token) as client:
            assert told(client.post("/v1/messages", json=request_body())) == (401, "authentication_error")
    assert upstream.got == []


@pytest.mark.parametrize("change", ["status = 'cancelled'", "iteration = 2"])
def test_nothing_is_spent_on_a_run_that_has_ended_or_gone_on(
    change: str, rough: Any, desk: Any, upstream: Any, request_body: Body
) -> None:
    token = rough.session()
    desk.rows(f"UPDATE runs SET {change}")  # noqa: S608 - a constant of this test
    with rough.http(token) as client:
        assert told(client.post("/v1/messages", json=request_body())) == (403, "permission_error")
        assert told(client.post("/v1/messages/count_tokens", json=request_body())) == (403, "permission_error")
    assert upstream.got == []


def test_the_story_tells_of_a_count_that_was_refused_too(rough: Any, upstream: Any, request_body: Body) -> None:
    with rough.http(rough.session(Phase.PREPARE)) as client:
        answer = client.post("/v1/messages/count_tokens", json=request_body())
    assert told(answer) == (403, "permission_error")
    assert upstream.got == []
    assert [reason.partition(":")[0] for reason in rough.desk.refusals()] == ["prepare"]


def test_one_job_can_not_take_the_whole_gateway(door: Any, vendor: Any, request_body: Body) -> None:
    token, other = door.session(), door.session()
    vendor.post("hold")
    with ThreadPoolExecutor(5) as pool:

        def call(token: str) -> int:
            with door.http(token) as client:
                return int(client.post("/v1/messages", json=request_body()).status_code)

        held = [pool.submit(call, token) for _ in range(4)]
        vendor.wait_held(4)
        with door.http(token) as client:
            for path in ("/v1/messages", "/v1/messages/count_tokens"):
                refused = client.post(path, content=b"never parsed")
                assert told(refused) == (429, "rate_limit_error")
                assert int(refused.headers["retry-after"]) > 0
        held.append(pool.submit(call, other))
        vendor.wait_held(5)
        vendor.post("release")
        assert [one.result() for one in held] == [200] * 5
    assert call(token) == 200


def test_a_stream_keeps_its_seat_until_it_has_ended(rough: Any, upstream: Any, request_body: Body) -> None:
    go = threading.Event()
    upstream.headers = {"content-type": "text/event-stream"}
    upstream.script = [b"event: ping\ndata: {}\n\n", go]
    body, token = request_body(stream=True), rough.session()
    with ExitStack() as stack:
        for _ in range(4):
            client = stack.enter_context(rough.http(token))
            stack.enter_context(client.stream("POST", "/v1/messages", json=body))
        with rough.http(token) as client:
            assert client.post("/v1/messages", json=body).status_code == 429
        go.set()


def test_a_session_ends_with_its_token(rough: Any, request_body: Body) -> None:
    with rough.http(rough.session(hours=0)) as client:
        assert told(client.post("/v1/messages", json=request_body())) == (401, "authentication_error")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "claude-opus-5-5"}, (403, "permission_error")),
        ({"mcp_servers": [{"type": "url", "url": "https://example.com", "name": "m"}]}, (403, "permission_error")),
        ({"tools": [{"type": "web_search_20260209", "name": "web_search"}]}, (403, "permission_error")),
        ({"thread": {"type": "continue"}}, (403, "permission_error")),
        ({"max_tokens": 0}, (400, "invalid_request_error")),
        ({"messages": "hello"}, (400, "invalid_request_error")),
        ({"stream": "yes"}, (400, "invalid_request_error")),
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_sent_or_reserved(
    change: dict[str, Any], expected: tuple[int, str], rough: Any, upstream: Any, request_body: Body
) -> None:
    with rough.http(rough.session()) as client:
        assert told(client.post("/v1/messages", json=request_body(**change))) == expected
    assert (upstream.got, rough.ledger()) == ([], [])
    assert bool(rough.desk.refusals()) is (expected[0] == 403)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/messages", (405, "invalid_request_error")),
        ("POST", "/v1/complete", (404, "not_found_error")),
        ("POST", "/v1/messages/batches", (404, "not_found_error")),
        ("GET", "/v1/models", (404, "not_found_error")),
        ("POST", "/v1/files", (404, "not_found_error")),
        ("GET", "", (404, "not_found_error")),
    ],
)
def test_other_addresses_below_the_gateway_refuse_as_the_vendor_does(
    method: str, path: str, expected: tuple[int, str], rough: Any
) -> None:
    with rough.http(rough.session()) as client:
        assert told(client.request(method, path)) == expected


@pytest.mark.parametrize("headers", [{"anthropic-beta": "files-api-2025-04-14"}, {"x-bug-fix-purpose": "fun"}])
def test_unknown_betas_and_purposes_are_refused(
    headers: dict[str, str], rough: Any, upstream: Any, request_body: Body
) -> None:
    with rough.http(rough.session()) as client:
        assert told(client.post("/v1/messages", json=request_body(), headers=headers))[0] in {400, 403}
    assert upstream.got == []


def test_a_second_beta_header_can_t_slip_past_the_check(rough: Any, upstream: Any, request_body: Body) -> None:
    names = [("anthropic-beta", "interleaved-thinking-2025-05-14"), ("anthropic-beta", "files-api-2025-04-14")]
    with rough.http(rough.session()) as client:
        assert told(client.post("/v1/messages", json=request_body(), headers=names)) == (403, "permission_error")
    assert upstream.got == []


def test_a_query_is_not_passed_on(rough: Any, upstream: Any, request_body: Body) -> None:
    with rough.http(rough.session()) as client:
        answer = client.post("/v1/messages?beta=true&out=secret", json=request_body())
        assert told(answer) == (400, "invalid_request_error")
    assert upstream.got == []


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_a_body_that_is_too_large_is_refused(path: str, rough: Any, upstream: Any) -> None:
    with rough.http(rough.session()) as client:
        answer = client.post(path, content=b" " * (limits.CALL_BODY + 1))
        assert told(answer) == (413, "request_too_large")
    assert upstream.got == []


def test_the_sdk_understands_each_refusal_and_does_not_try_in_vain(rough: Any, request_body: Body) -> None:
    with (
        rough.sdk(rough.session(Phase.TESTING), max_retries=8) as client,
        pytest.raises(anthropic.PermissionDeniedError, match="works without a model"),
    ):
        client.messages.create(**request_body("testing"))
