"""What comes back over HTTP: shapes against the vendor's schemas, the order of a stream, the choice of turns."""

import re
from collections.abc import Callable
from typing import Any

import httpx2
import msgspec
import pytest

pytestmark = pytest.mark.integration

Body = Callable[..., dict[str, Any]]
Conforms = Callable[[str, Any], None]
Books = Callable[[], dict[str, Any]]


def events(response: httpx2.Response) -> list[tuple[str, dict[str, Any]]]:
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", response.text)
    return [(name, msgspec.json.decode(data)) for name, data in found]


@pytest.mark.parametrize("phase", ["analysis", "implementation", "testing"])
def test_messages_and_stream_events_have_the_vendors_shape(
    phase: str, http: httpx2.Client, request_body: Body, conforms: Conforms
) -> None:
    body = request_body(phase, thinking={"type": "adaptive", "display": "summarized"})
    conforms("message.schema.json", http.post("/v1/messages", json=body).json())
    streamed = http.post("/v1/messages", json=body | {"stream": True})
    assert streamed.headers["content-type"].startswith("text/event-stream")
    for name, event in events(streamed):
        assert name == event["type"]
        if name != "ping":
            conforms("raw_message_stream_event.schema.json", event)


def test_a_streams_events_come_in_the_vendors_order(http: httpx2.Client, request_body: Body) -> None:
    streamed = events(http.post("/v1/messages", json=request_body(stream=True)))
    order = " ".join(name for name, _ in streamed)
    block = r"content_block_start (ping )?(content_block_delta )*content_block_stop"
    assert re.fullmatch(rf"message_start ({block} )+message_delta message_stop", order)
    indexes = [event["index"] for name, event in streamed if name == "content_block_start"]
    assert indexes == [0, 1, 2]


def test_a_stream_begins_with_the_input_and_ends_with_all_usage(http: httpx2.Client, request_body: Body) -> None:
    body = request_body()
    whole = http.post("/v1/messages", json=body).json()["usage"]
    streamed = [event for _, event in events(http.post("/v1/messages", json=body | {"stream": True}))]
    first, last = streamed[0]["message"]["usage"], streamed[-2]["usage"]
    assert first["input_tokens"] == last["input_tokens"] == whole["input_tokens"]
    assert (first["output_tokens"], last["output_tokens"]) == (1, whole["output_tokens"])


def test_a_tool_calls_input_is_streamed_as_pieces_of_json(http: httpx2.Client, request_body: Body) -> None:
    streamed = events(http.post("/v1/messages", json=request_body("implementation", stream=True)))
    pieces = [event["delta"]["partial_json"] for _, event in streamed if event.get("delta", {}).get("partial_json")]
    assert [msgspec.json.decode(piece) for piece in pieces] == [{"a": 1, "b": 1}, {"a": 2, "b": 2}]


def test_errors_have_the_vendors_shape_and_the_request_id_of_the_header(
    http: httpx2.Client, request_body: Body, conforms: Conforms
) -> None:
    for response, status in (
        (http.post("/v1/messages", json=request_body(model="claude-nobody")), 404),
        (http.post("/v1/messages", json=request_body(max_tokens=None)), 400),
        (http.post("/v1/messages", content=b"{"), 400),
        (http.post("/v1/messages?x=1", json=request_body()), 400),
        (http.post("/v1/messages", json=request_body(), headers={"x-api-key": "wrong"}), 401),
        (http.post("/v1/messages", json=request_body(), headers={"anthropic-version": ""}), 400),
        (http.post("/v1/messages", json=request_body(), headers={"anthropic-beta": "files-api-2025-04-14"}), 400),
        (http.get("/v1/files"), 404),
        (http.get("/v1/messages/batches"), 404),
    ):
        assert response.status_code == status
        conforms("error_response.schema.json", response.json())
        assert response.json()["request_id"] == response.headers["request-id"]


def test_a_body_that_is_too_large_is_413(http: httpx2.Client) -> None:
    response = http.post("/v1/messages", content=b" " * (32 * 1024 * 1024 + 1))
    assert (response.status_code, response.json()["error"]["type"]) == (413, "request_too_large")


def test_counts_have_the_vendors_shape(http: httpx2.Client, request_body: Body, conforms: Conforms) -> None:
    counted = http.post("/v1/messages/count_tokens", json=request_body(max_tokens=None))
    conforms("message_tokens_count.schema.json", counted.json())


def test_the_most_precise_conversation_is_played(http: httpx2.Client, request_body: Body) -> None:
    answer = http.post("/v1/messages", json=request_body("implementation", iteration=2)).json()
    assert answer["content"] == [{"type": "text", "text": "Fixed again."}]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phase": "reproduction"}, "No scripted turn in scenario 'sums' for phase reproduction, issue PL-479"),
        ({"phase": "analysis", "tools": None}, "it calls 'add', which is not among the request's tools"),
        ({"phase": "analysis", "tool_choice": {"type": "none"}}, "it calls a tool, and tool_choice is none"),
        (
            {"phase": "implementation", "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            "disable_parallel_tool_use is set",
        ),
        ({"phase": "analysis", "messages": [{"role": "user", "content": "Hi"}]}, "not found: phase, issue, iteration"),
    ],
)
def test_a_request_that_the_script_has_no_answer_for_says_which(
    changes: dict[str, Any], words: str, http: httpx2.Client, request_body: Body
) -> None:
    response = http.post("/v1/messages", json=request_body(**changes))
    assert response.status_code == 400
    assert words in response.json()["error"]["message"]


def test_a_script_cannot_say_what_a_strict_tool_forbids(http: httpx2.Client, request_body: Body) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    body = request_body(tools=[{"name": "add", "strict": True, "input_schema": schema}])
    message = http.post("/v1/messages", json=body).json()["error"]["message"]
    assert "add is strict, and input.b: is not in the schema" in message


def test_an_exhausted_conversation_says_so(http: httpx2.Client, request_body: Body) -> None:
    body = request_body("testing")
    body["messages"] += [{"role": "assistant", "content": "x"}, {"role": "user", "content": "Go on."}]
    message = http.post("/v1/messages", json=body).json()["error"]["message"]
    assert "turn 2: the conversation has 1 turns" in message


@pytest.mark.parametrize(
    ("changes", "reason", "shown"),
    [
        ({"max_tokens": 2}, "max_tokens", "Fixed ag"),
        ({"max_tokens": 0}, "max_tokens", None),
        ({"stop_sequences": ["again", " a"]}, "stop_sequence", "Fixed"),
        ({}, "end_turn", "Fixed again."),
    ],
)
def test_max_tokens_and_stop_sequences_end_the_text(
    changes: dict[str, Any], reason: str, shown: str | None, http: httpx2.Client, request_body: Body
) -> None:
    answer = http.post("/v1/messages", json=request_body("implementation", iteration=2, **changes)).json()
    assert answer["stop_reason"] == reason
    assert [block["text"] for block in answer["content"]] == ([shown] if shown else [])
    assert answer["usage"]["output_tokens"] <= request_body(**changes)["max_tokens"]


def test_thinking_comes_signed_and_is_accepted_back(http: httpx2.Client, request_body: Body) -> None:
    body = request_body(thinking={"type": "adaptive", "display": "summarized"})
    answer = http.post("/v1/messages", json=body).json()
    assert answer["content"][0]["thinking"] == "An apostrophe ends the SQL string."
    assert answer["usage"]["output_tokens_details"]["thinking_tokens"] == 9
    result = {"type": "tool_result", "tool_use_id": answer["content"][2]["id"], "content": "5"}
    body["messages"] += [
        {"role": "assistant", "content": answer["content"]},
        {"role": "user", "content": [result]},
    ]
    assert http.post("/v1/messages", json=body).json()["content"][0]["text"] == "The sum is 5, naïvely."


def test_a_turns_delay_passes_on_the_simulated_clock(http: httpx2.Client, request_body: Body) -> None:
    http.post("/v1/messages", json=request_body())
    assert http.get("/_sandbox/state").json()["advanced_s"] == 30


def test_a_cached_prefix_expires_when_the_clock_is_put_forward(http: httpx2.Client, request_body: Body) -> None:
    control = {"type": "ephemeral", "ttl": "1h"}
    body = request_body("testing", system=[{"type": "text", "text": "word " * 500, "cache_control": control}])

    def usage() -> tuple[int, int]:
        found = http.post("/v1/messages", json=body).json()["usage"]
        return found["cache_creation"]["ephemeral_1h_input_tokens"], found["cache_read_input_tokens"]

    written, read = usage()
    assert written > 512
    assert read == 0
    assert usage() == (0, written)
    http.post("/_sandbox/clock", json={"advance_s": 3601})
    assert usage() == (written, 0)
    http.headers["x-api-key"] = "sk-two"
    assert usage() == (written, 0)


def test_the_page_shows_the_books_and_escapes_what_it_shows(
    http: httpx2.Client, request_body: Body, sideways: Any
) -> None:
    http.post("/v1/messages", json=request_body())
    lines = "Phase: <b>\nIssue: PL-479\nIteration: 1"
    http.post("/v1/messages", json=request_body(messages=[{"role": "user", "content": lines}]))
    page = http.get("/").text
    assert "claude-sonnet-5-5" in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert sideways({"/": page}) == {}


def test_an_unknown_control_is_an_error_that_names_it(http: httpx2.Client) -> None:
    assert "fautls" in http.post("/_sandbox/fautls", json={}).json()["error"]
    assert "kidn" in http.post("/_sandbox/faults", json={"kidn": 429}).json()["error"]
