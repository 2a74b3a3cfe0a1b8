"""What an answer says about usage."""

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from receiver.gateway.parsed_usage import StreamReader, whole
from receiver.store.money.pricing import Usage

START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "usage": {
            "input_tokens": 3,
            "output_tokens": 1,
            "cache_read_input_tokens": 50,
            "cache_creation_input_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        },
    },
}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 77}}
EXPECTED = Usage(uncached=3, cache_read=50, cache_write_5m=10, cache_write_1h=20, output=77)


def sse(*events: dict[str, object]) -> bytes:
    return b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events)


STREAM = sse(START, {"type": "ping"}, DELTA, {"type": "message_stop"})


def test_the_last_streamed_usage_wins_and_keeps_the_split_of_cache_writes() -> None:
    reader = StreamReader()
    reader.feed(STREAM)
    parsed = reader.parsed()
    assert parsed is not None
    assert (parsed.usage, parsed.message_id, parsed.stop_reason) == (EXPECTED, "msg_1", "end_turn")


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM)), max_size=12))
def test_it_does_not_matter_where_a_stream_is_cut_into_chunks(cuts: list[int]) -> None:
    reader = StreamReader()
    edges = [0, *sorted(cuts), len(STREAM)]
    for begin, end in itertools.pairwise(edges):
        reader.feed(STREAM[begin:end])
    parsed = reader.parsed()
    assert parsed is not None
    assert parsed.usage == EXPECTED


def test_a_stream_that_broke_off_is_unknown_rather_than_cheap() -> None:
    reader = StreamReader()
    reader.feed(sse(START))
    assert reader.parsed() is None


def test_an_error_in_the_stream_is_remembered() -> None:
    reader = StreamReader()
    reader.feed(sse(START, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}))
    assert reader.parsed() is None
    assert reader.error is not None
    assert "Overloaded" in reader.error


def test_cache_writes_without_a_split_count_as_the_default_five_minutes() -> None:
    parsed = whole(
        json.dumps({"usage": {"input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 9}}).encode()
    )
    assert parsed is not None
    assert parsed.usage == Usage(uncached=1, output=2, cache_write_5m=9)


def test_an_answer_that_is_no_message_tells_nothing() -> None:
    assert whole(b"<html>") is None
    assert whole(b'{"usage": {"input_tokens": "many"}}') is None
