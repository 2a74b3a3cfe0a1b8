"""What an answer says about usage."""

import itertools
import json

import pytest
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


def usage(**counts: object) -> bytes:
    return json.dumps({"usage": {"input_tokens": 1, "output_tokens": 2, **counts}}).encode()


@pytest.mark.parametrize(
    ("counts", "five_minutes", "one_hour"),
    [
        ({"cache_creation_input_tokens": 9}, 0, 9),
        ({"cache_creation_input_tokens": 9, "cache_creation": None}, 0, 9),
        ({"cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_5m_input_tokens": 9}}, 9, 0),
        ({"cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 9}}, 0, 9),
        ({"cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_5m_input_tokens": 4}}, 4, 5),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 3}}, 4, 3),
        ({"cache_creation_input_tokens": 0, "cache_creation": {"ephemeral_5m_input_tokens": 4}}, 0, 0),
    ],
)
def test_cache_writes_of_which_no_length_is_told_count_as_the_dearer(
    counts: dict[str, object], five_minutes: int, one_hour: int
) -> None:
    parsed = whole(usage(**counts))
    assert parsed is not None
    assert parsed.usage == Usage(uncached=1, output=2, cache_write_5m=five_minutes, cache_write_1h=one_hour)


def told(*events: dict[str, object]) -> Usage | None:
    reader = StreamReader()
    reader.feed(sse(*events, {"type": "message_stop"}))
    parsed = reader.parsed()
    return None if parsed is None else parsed.usage


def start(**counts: object) -> dict[str, object]:
    return {"type": "message_start", "message": {"id": "msg_2", "usage": {"output_tokens": 1, **counts}}}


def delta(reason: str | None = "end_turn", **counts: object) -> dict[str, object]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": counts or None}


def test_the_writes_that_only_the_end_tells_are_counted() -> None:
    nothing = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
    begun = start(input_tokens=40, cache_creation_input_tokens=0, cache_creation=nothing)
    found = told(begun, delta(input_tokens=40, cache_creation_input_tokens=1_200, output_tokens=9))
    assert found == Usage(uncached=40, cache_write_1h=1_200, output=9)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((start(input_tokens=0), delta(input_tokens=40, output_tokens=9)), Usage(uncached=40, output=9)),
        ((start(), delta(input_tokens=40, output_tokens=9)), Usage(uncached=40, output=9)),
        ((start(input_tokens=40), delta(), delta(None, output_tokens=9)), Usage(uncached=40, output=9)),
        ((start(input_tokens=40), delta(input_tokens=None, output_tokens=9)), Usage(uncached=40, output=9)),
        (
            (start(input_tokens=40), delta(input_tokens=0, cache_read_input_tokens=40, output_tokens=9)),
            Usage(cache_read=40, output=9),
        ),
    ],
    ids=["zero first", "late", "after the reason", "null last", "moved to another count"],
)
def test_a_usage_that_comes_late_is_the_whole_usage(events: tuple[dict[str, object], ...], expected: Usage) -> None:
    assert told(*events) == expected


@pytest.mark.parametrize(
    "events",
    [
        ({"type": "message_start", "message": {"id": "m", "usage": None}}, delta(output_tokens=9)),
        ({"type": "message_start", "message": {"id": "m"}}, delta(output_tokens=9)),
        (delta(output_tokens=9),),
        (start(input_tokens=40), delta()),
        (start(input_tokens=40), delta(output_tokens=None)),
        (start(input_tokens=0), delta(output_tokens=9)),
        (start(input_tokens=40), delta(input_tokens=0, output_tokens=9)),
        (start(input_tokens=40), delta(output_tokens=0)),
        (start(input_tokens=40), delta(output_tokens=-9)),
        (start(input_tokens="40"), delta(output_tokens=9)),
        (start(input_tokens=1.5), delta(output_tokens=9)),
        (start(input_tokens=True), delta(output_tokens=9)),
    ],
)
def test_a_usage_that_was_not_told_whole_is_unknown_and_not_zero(events: tuple[dict[str, object], ...]) -> None:
    assert told(*events) is None


def test_an_event_of_several_data_lines_is_one_event() -> None:
    lines = json.dumps(START, indent=1).splitlines()
    reader = StreamReader()
    reader.feed(b"event: message_start\n" + b"".join(f"data: {line}\n".encode() for line in lines) + b"\n" + sse(DELTA))
    parsed = reader.parsed()
    assert parsed is not None
    assert parsed.usage == EXPECTED


def test_an_answer_that_is_no_message_tells_nothing() -> None:
    assert whole(b"<html>") is None
    assert whole(usage(input_tokens="many")) is None
    assert whole(usage(input_tokens=None)) is None
    assert whole(usage(output_tokens=None)) is None
    assert whole(usage(input_tokens=0)) is None
    assert whole(b'{"usage": null}') is None
