"""What goes wrong on demand, and how the books tell of it. Real sockets; nothing sleeps, answers are held instead."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import anthropic
import httpx2
import msgspec
import pytest

pytestmark = pytest.mark.integration

Body = Callable[..., dict[str, Any]]
Books = Callable[[], dict[str, Any]]


def statuses(books: Books) -> list[tuple[str, int]]:
    return [(row["status"], row["http_status"]) for row in books()["rows"]]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the state did not come"


@pytest.mark.parametrize(("kind", "type_"), [(429, "rate_limit_error"), (500, "api_error"), (529, "overloaded_error")])
def test_a_fault_before_billing_costs_nothing_and_strikes_as_often_as_said(
    kind: int, type_: str, http: httpx2.Client, request_body: Body, books: Books
) -> None:
    http.post("/_sandbox/faults", json={"kind": kind, "times": 2, "retry_after": 7})
    for _ in range(2):
        response = http.post("/v1/messages", json=request_body())
        assert (response.status_code, response.headers["retry-after"]) == (kind, "7")
        assert response.json()["error"]["type"] == type_
    assert http.post("/v1/messages", json=request_body()).status_code == 200
    assert statuses(books) == [("failed", kind), ("failed", kind), ("ok", 200)]
    assert [row["cost_usd"] for row in books()["rows"][:2]] == ["0", "0"]


def test_the_sdk_gets_through_an_overload_by_itself(
    url: str, http: httpx2.Client, request_body: Body, books: Books
) -> None:
    http.post("/_sandbox/faults", json={"kind": 529, "times": 3, "retry_after": 0.001})
    with anthropic.Anthropic(base_url=url, api_key="sk-one", max_retries=8) as client:
        assert client.messages.create(**request_body()).stop_reason == "tool_use"
    assert statuses(books) == [("failed", 529)] * 3 + [("ok", 200)]


def test_a_fault_may_be_meant_for_one_phase_or_a_later_request(http: httpx2.Client, request_body: Body) -> None:
    http.post("/_sandbox/faults", json={"kind": 500, "phase": "testing", "skip": 1})
    codes = [
        http.post("/v1/messages", json=request_body(phase)).status_code for phase in ("testing", "analysis", "testing")
    ]
    assert codes == [200, 200, 500]
    http.post("/_sandbox/faults", json={"kind": 500})
    assert http.delete("/_sandbox/faults").json()["faults"] == []


def test_a_stream_broken_by_an_error_raises_it_in_the_sdk(
    sdk: anthropic.Anthropic, http: httpx2.Client, request_body: Body, books: Books
) -> None:
    http.post("/_sandbox/faults", json={"kind": 529, "after": "mid_stream"})
    with sdk.messages.stream(**request_body()) as stream, pytest.raises(anthropic.APIStatusError, match="overloaded"):
        stream.until_done()
    assert statuses(books) == [("stream_cut", 529)]


@pytest.mark.parametrize("kind", [529, "cut"])
def test_a_broken_stream_is_billed_as_far_as_its_usage_was_sent(
    kind: int | str, http: httpx2.Client, request_body: Body, books: Books
) -> None:
    http.post("/_sandbox/faults", json={"kind": kind, "after": "mid_stream"})
    assert http.post("/v1/messages", json=request_body()).status_code == 200
    received = b"".join(pieces(http, request_body(stream=True)))
    assert b"message_delta" not in received
    start = msgspec.json.decode(received.partition(b"data: ")[2].partition(b"\n")[0])
    row = books()["rows"][-1]
    assert row["status"] == "stream_cut"
    assert Decimal(row["cost_usd"]) > 0
    for name in ("input_tokens", "output_tokens", "cache_read_input_tokens"):
        assert row[name] == start["message"]["usage"][name]


def pieces(http: httpx2.Client, body: dict[str, Any]) -> Iterator[bytes]:
    """Give what arrives of an answer, until it ends or breaks."""
    with contextlib.suppress(httpx2.RemoteProtocolError), http.stream("POST", "/v1/messages", json=body) as response:
        yield from response.iter_bytes()


@pytest.mark.parametrize("kind", [500, "cut"])
def test_an_answer_may_be_billed_and_never_arrive(
    kind: int | str, http: httpx2.Client, request_body: Body, books: Books
) -> None:
    full = http.post("/v1/messages", json=request_body()).json()["usage"]
    http.post("/_sandbox/faults", json={"kind": kind, "after": "billed"})
    if kind == "cut":
        with pytest.raises(httpx2.RemoteProtocolError):
            http.post("/v1/messages", json=request_body())
    else:
        assert http.post("/v1/messages", json=request_body()).status_code == 500
    row = books()["rows"][-1]
    assert (row["status"], row["billed"], row["output_tokens"]) == ("unanswered", True, full["output_tokens"])


def test_refused_requests_stand_in_the_books_with_their_reason(
    http: httpx2.Client, request_body: Body, books: Books
) -> None:
    http.post("/v1/messages", json=request_body(max_tokens=None))
    (row,) = books()["rows"]
    assert (row["status"], row["billed"], row["error"]) == ("refused", False, "max_tokens: Field required")


def test_one_request_too_many_at_a_time_is_refused_until_another_ends(
    http: httpx2.Client, request_body: Body, books: Books
) -> None:
    http.post("/_sandbox/limits", json={"concurrent": 1})
    http.post("/_sandbox/hold", json={"phase": "analysis"})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(http.post, "/v1/messages", json=request_body())
        until(lambda: http.get("/_sandbox/state").json()["concurrent"]["held"] == 1)
        refused = http.post("/v1/messages", json=request_body("testing"))
        assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
        assert "retry-after" in refused.headers
        http.post("/_sandbox/release")
        assert waiting.result().status_code == 200
    assert http.post("/v1/messages", json=request_body("testing")).status_code == 200
    assert http.get("/_sandbox/state").json()["concurrent"] == {"limit": 1, "active": 0, "peak": 1, "held": 0}
    assert sorted(statuses(books)) == [("failed", 429), ("ok", 200), ("ok", 200)]


@pytest.mark.parametrize(
    ("at", "extra"), [("before", {}), ("before", {"stream": True}), ("mid_stream", {"stream": True})]
)
def test_a_client_that_leaves_is_billed_in_full(
    at: str,
    extra: dict[str, Any],
    url: str,
    http: httpx2.Client,
    request_body: Body,
    books: Books,
    hang_up: Callable[..., None],
) -> None:
    full = http.post("/v1/messages", json=request_body()).json()["usage"]["output_tokens"]
    http.post("/_sandbox/hold", json={"at": at})
    headers = {"x-api-key": "sk-one", "anthropic-version": "2023-06-01"}
    held = lambda: http.get("/_sandbox/state").json()["concurrent"]["held"] == 1  # noqa: E731
    hang_up(f"{url}/v1/messages", request_body(**extra), headers=headers, when=held)
    until(lambda: statuses(books)[-1:] == [("client_gone", 200)])
    assert books()["rows"][-1]["output_tokens"] == full
    assert http.get("/_sandbox/state").json()["concurrent"]["active"] == 0
