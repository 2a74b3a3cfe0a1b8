"""A stream on its way to a job."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.gateway.stream_buffer import StreamBuffer

EVENT = b'event: ping\ndata: {"type": "ping"}\n\n'


async def all_of(stream: StreamBuffer) -> bytes:
    return b"".join([chunk async for chunk in stream.read()])


@given(st.binary(max_size=60), st.lists(st.integers(min_value=0, max_value=60), max_size=6))
def test_a_stream_that_ends_arrives_byte_for_byte(body: bytes, cuts: list[int]) -> None:
    async def run() -> bytes:
        stream = StreamBuffer()
        edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
        for begin, end in itertools.pairwise(edges):
            stream.put(body[begin:end])
        stream.end()
        return await all_of(stream)

    assert asyncio.run(run()) == body


@pytest.mark.anyio
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
async def test_whole_events_arrive_at_once_and_halves_never(newline: bytes) -> None:
    stream, event = StreamBuffer(), EVENT.replace(b"\n", newline)
    stream.put(event + event[:10])
    reading = stream.read()
    assert await anext(reading) == event
    stream.break_off("The connection broke.")
    rest = b"".join([chunk async for chunk in reading])
    assert rest.startswith(b"event: error\n")
    assert b"The connection broke." in rest


@pytest.mark.anyio
async def test_what_nobody_reads_is_bounded_and_given_up() -> None:
    stream = StreamBuffer(backlog=10 * len(EVENT))
    for _ in range(1000):
        stream.put(EVENT)
        assert stream.waiting <= 11 * len(EVENT)
    stream.end()
    received = await all_of(stream)
    assert received.count(b"event: ping") == 0
    assert b"read too slowly" in received


@pytest.mark.anyio
async def test_an_event_without_end_is_bounded_too() -> None:
    stream = StreamBuffer(backlog=100)
    for _ in range(100):
        stream.put(b"data: xxxxxxxxxx")
    assert stream.waiting <= 400
    assert b"read too slowly" in await all_of(stream)


@pytest.mark.anyio
async def test_after_a_reader_has_left_nothing_is_kept() -> None:
    stream = StreamBuffer()
    stream.put(EVENT)
    reading = stream.read()
    await anext(reading)
    stream.put(EVENT)
    await reading.aclose()  # type: ignore[attr-defined]  # it is a generator
    stream.put(EVENT)
    assert stream.waiting == 0


@pytest.mark.anyio
async def test_a_stream_ends_once() -> None:
    stream = StreamBuffer()
    stream.put(EVENT)
    stream.end()
    stream.break_off("too late")
    stream.put(EVENT)
    assert await all_of(stream) == EVENT
