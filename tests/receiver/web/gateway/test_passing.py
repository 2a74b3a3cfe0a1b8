"""What goes upstream and what comes back: the same bytes, listed headers, the vendor's own refusals, broken streams."""

import json
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import anthropic
import httpx2
import pytest

pytestmark = pytest.mark.integration

Body = Callable[..., dict[str, Any]]

START = {"id": "msg_1", "usage": {"input_tokens": 10, "output_tokens": 1}}
EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "message": START},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}},
    {"type": "message_stop"},
)
COST = (10 * Decimal(2) + 20 * Decimal(10)) / 1_000_000


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in events)


def streaming(upstream: Any, *script: Any) -> None:
    upstream.headers = {"content-type": "text/event-stream", "request-id": "req_7"}
    upstream.script = list(script)


ODD = (
    b'{ "max_tokens":7,\t"model":"claude-sonnet-5-5",\n'
    b' "messages":[{"role":"user","content":"caf\\u00e9 \xc3\xa9 \\/"}]}\n'
)


def test_the_bytes_of_a_request_go_upstream_unchanged(rough: Any, upstream: Any) -> None:
    upstream.script = [b"{}"]
    with rough.http(rough.session()) as client:
        client.post("/v1/messages", content=ODD)
        client.post("/v1/messages/count_tokens", content=ODD)
    assert [(path, body) for path, _, body in upstream.got] == [
        ("/v1/messages", ODD),
        ("/v1/messages/count_tokens", ODD),
    ]


def test_only_listed_headers_go_upstream_and_the_key_is_ours(rough: Any, upstream: Any, request_body: Body) -> None:
    upstream.script = [b"{}"]
    token = rough.session()
    sent = {
        "anthropic-beta": "interleaved-thinking-2025-05-14, fine-grained-tool-streaming-2025-05-14",
        "x-api-key": "sk-of-the-job",
        "x-secret": "s",
        "user-agent": "a way out",
        "accept": "a/way-out",
        "cookie": "c=1",
        "anthropic-dangerous-direct-browser-access": "true",
    }
    with rough.http(token) as client:
        client.post("/v1/messages?beta=true", json=request_body(), headers=sent)
    ((path, headers, _),) = upstream.got
    assert path == "/v1/messages?beta=true"
    assert headers["x-api-key"] == "sk-ant-of-the-tests"
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["anthropic-beta"].replace(",", ", ") == sent["anthropic-beta"]
    names = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"}
    assert set(headers) == names | {"x-api-key", "anthropic-version", "anthropic-beta"}
    assert not [value for value in headers.values() if token in value or "way" in value]


def test_only_listed_headers_come_back(rough: Any, upstream: Any, request_body: Body) -> None:
    upstream.headers = {
        "content-type": "application/json",
        "request-id": "req_7",
        "anthropic-ratelimit-requests-remaining": "3",
        "anthropic-organization-id": "org",
        "set-cookie": "a=b",
        "x-internal": "i",
    }
    upstream.script = [json.dumps({**START, "stop_reason": "end_turn"}).encode()]
    with rough.http(rough.session()) as client:
        answer = client.post("/v1/messages", json=request_body())
    ours = {"content-length", "date", "server"}
    assert set(answer.headers) - ours == {
        "content-type",
        "request-id",
        "anthropic-ratelimit-requests-remaining",
        "x-bug-fix-cost-usd",
    }


@pytest.mark.parametrize(("status", "state"), [(400, "released"), (401, "released"), (429, "released")])
def test_the_vendor_s_refusal_is_passed_on_unchanged_and_costs_nothing(
    status: int, state: str, rough: Any, upstream: Any, request_body: Body
) -> None:
    upstream.status = status
    upstream.headers = {"content-type": "application/json", "retry-after": "17", "x-should-retry": "true"}
    upstream.script = [b'{"type":"error","error":{"type":"x_error","message":"no \xc3\xa9"}}']
    with rough.http(rough.session()) as client:
        answer = client.post("/v1/messages", json=request_body())
    assert (answer.status_code, answer.content) == (status, upstream.script[0])
    assert (answer.headers["retry-after"], answer.headers["x-should-retry"]) == ("17", "true")
    assert rough.states() == [state]


@pytest.mark.parametrize(
    ("status", "state"), [(529, "released"), (503, "released"), (500, "unknown"), (502, "unknown"), (504, "unknown")]
)
def test_only_what_never_began_is_free_of_the_vendor_s_failures(
    status: int, state: str, rough: Any, upstream: Any, request_body: Body
) -> None:
    upstream.status = status
    with rough.http(rough.session()) as client:
        assert client.post("/v1/messages", json=request_body()).status_code == status
    assert rough.states() == [state]


def test_a_vendor_that_can_t_be_reached_costs_nothing(desk: Any, serve: Any, request_body: Body) -> None:
    desk.run()
    url = serve(anthropic_base_url="http://127.0.0.1:1")
    headers = {"authorization": f"Bearer {desk.session('analysis')}"}
    answer = httpx2.post(f"{url}/gateway/v1/messages", json=request_body(), headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "api_error")
    assert "retry-after" in answer.headers
    assert desk.rows("SELECT state, reserved_usd > 0 FROM usage") == [("released", True)]


def test_a_stream_arrives_while_it_is_made_and_byte_for_byte(rough: Any, upstream: Any, request_body: Body) -> None:
    go = threading.Event()
    whole = sse(*EVENTS)
    streaming(upstream, sse(EVENTS[0]), go, sse(*EVENTS[1:]))
    with (
        rough.http(rough.session()) as client,
        client.stream("POST", "/v1/messages", json=request_body(stream=True)) as answer,
    ):
        pieces = answer.iter_bytes()
        first = next(pieces)
        go.set()
        assert first + b"".join(pieces) == whole
        assert answer.headers["request-id"] == "req_7"
    (row,) = rough.settled(1)
    assert (row["state"], row["cost_usd"], row["request_id"]) == ("settled", COST, "req_7")


@pytest.mark.parametrize("extra", [{}, {"stream": True}])
@pytest.mark.parametrize(
    ("said", "cost"),
    [({"inference_geo": "us"}, COST * Decimal("1.1")), ({"service_tier": "priority"}, None), ({"mileage": 3}, None)],
)
def test_a_price_modifier_is_booked_and_an_unknown_one_holds_the_worst_case(
    said: dict[str, Any],
    cost: Decimal | None,
    extra: dict[str, Any],
    rough: Any,
    upstream: Any,
    request_body: Body,
) -> None:
    if extra:
        begun = {"type": "message_start", "message": {**START, "usage": START["usage"] | said}}
        streaming(upstream, sse(begun, *EVENTS[1:]))
    else:
        upstream.headers = {"content-type": "application/json"}
        usage = {"input_tokens": 10, "output_tokens": 20} | said
        upstream.script = [json.dumps({"id": "msg_1", "stop_reason": "end_turn", "usage": usage}).encode()]
    with rough.http(rough.session()) as client:
        client.post("/v1/messages", json=request_body(**extra)).raise_for_status()
    (row,) = rough.settled(1)
    assert (row["state"], row["cost_usd"], row["output_tokens"]) == ("settled", cost, 20)
    assert row["reserved_usd"] > COST


def test_a_stream_that_breaks_after_its_usage_was_known_is_settled(
    rough: Any, upstream: Any, request_body: Body
) -> None:
    streaming(upstream, sse(*EVENTS[:2]), None)
    with rough.http(rough.session()) as client:
        text = client.post("/v1/messages", json=request_body(stream=True)).text
    assert '"type":"api_error"' in text.rpartition("event: error")[2]
    (row,) = rough.settled(1)
    assert (row["state"], row["cost_usd"]) == ("settled", COST)


def test_half_an_event_is_not_passed_on_when_a_stream_breaks(rough: Any, upstream: Any, request_body: Body) -> None:
    streaming(upstream, sse(EVENTS[0]) + b'event: message_delta\ndata: {"type": "mess', None)
    with rough.http(rough.session()) as client:
        text = client.post("/v1/messages", json=request_body(stream=True)).text
    assert "message_delta" not in text
    assert text.startswith(sse(EVENTS[0]).decode() + "event: error\n")
    assert rough.settled(1)[0]["state"] == "unknown"


def test_a_stream_that_ends_early_without_a_word_is_an_error_for_the_sdk(
    rough: Any, upstream: Any, request_body: Body
) -> None:
    streaming(upstream, sse(EVENTS[0]))
    with (
        rough.sdk(rough.session()) as client,
        client.messages.create(**request_body(stream=True)) as stream,
        pytest.raises(anthropic.APIStatusError, match="before it was complete"),
    ):
        for _ in stream:
            pass
    assert rough.settled(1)[0]["state"] == "unknown"


def test_a_job_that_does_not_read_keeps_nobody_from_reading_upstream_to_the_end(
    rough: Any, upstream: Any, request_body: Body
) -> None:
    filler = sse({"type": "ping", "text": "x" * 100_000})
    streaming(upstream, sse(EVENTS[0]), *[filler] * 300, sse(*EVENTS[1:]))
    with (
        rough.http(rough.session()) as client,
        client.stream("POST", "/v1/messages", json=request_body(stream=True)) as answer,
    ):
        (row,) = rough.settled(1)  # thirty megabytes, of which the job has read nothing
        assert upstream.sent > 30_000_000
        received = b"".join(answer.iter_bytes())
    assert (row["state"], row["cost_usd"]) == ("settled", COST)
    assert len(received) < 15_000_000
    assert b"read too slowly" in received.rpartition(b"event: error")[2]


def test_what_is_no_message_is_passed_on_and_held(rough: Any, upstream: Any, request_body: Body) -> None:
    upstream.headers = {"content-type": "text/html"}
    upstream.script = [b"<html>maintenance</html>"]
    with rough.http(rough.session()) as client:
        answer = client.post("/v1/messages", json=request_body())
    assert answer.content == b"<html>maintenance</html>"
    assert answer.headers["content-type"].startswith("text/html")
    assert rough.states() == ["unknown"]


def test_an_unknown_price_is_refused_and_never_counted_as_nothing(
    desk: Any, rough: Any, upstream: Any, request_body: Body
) -> None:
    desk.rows(
        "UPDATE runs SET catalogue = jsonb_set(catalogue, '{agents,default,model}', to_jsonb(%s::text))", "claude-new"
    )
    with rough.http(rough.session()) as client:
        answer = client.post("/v1/messages", json=request_body(model="claude-new"))
    assert (answer.status_code, answer.json()["error"]["type"]) == (402, "billing_error")
    assert "price of claude-new is not known" in answer.json()["error"]["message"]
    assert (upstream.got, rough.ledger()) == ([], [])
