"""A stream on its way to a job."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.gateway.passage import Passage

EVENT = b'event: ping\ndata: {"type": "ping"}\n\n'


async def all_of(passage: Passage) -> bytes:
    return b"".join([chunk async for chunk in passage.read()])


@given(st.binary(max_size=60), st.lists(st.integers(min_value=0, max_value=60), max_size=6))
def test_a_stream_that_ends_arrives_byte_for_byte(body: bytes, cuts: list[int]) -> None:
    async def run() -> bytes:
        passage = Passage()
        edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
        for begin, end in itertools.pairwise(edges):
            passage.put(body[begin:end])
        passage.end()
        return await all_of(passage)

    assert asyncio.run(run()) == body


@pytest.mark.anyio
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
async def test_whole_events_arrive_at_once_and_halves_never(newline: bytes) -> None:
    passage, event = Passage(), EVENT.replace(b"\n", newline)
    passage.put(event + event[:10])
    reading = passage.read()
    assert await anext(reading) == event
    passage.break_off("The connection broke.")
    rest = b"".join([chunk async for chunk in reading])
    assert rest.startswith(b"event: error\n")
    assert b"The connection broke." in rest


@pytest.mark.anyio
async def test_what_nobody_reads_is_bounded_and_given_up() -> None:
    passage = Passage(backlog=10 * len(EVENT))
    for _ in range(1000):
        passage.put(EVENT)
        assert passage.waiting <= 11 * len(EVENT)
    passage.end()
    received = await all_of(passage)
    assert received.count(b"event: ping") == 0
    assert b"read too slowly" in received


@pytest.mark.anyio
async def test_an_event_without_end_is_bounded_too() -> None:
    passage = Passage(backlog=100)
    for _ in range(100):
        passage.put(b"data: xxxxxxxxxx")
    assert passage.waiting <= 400
    assert b"read too slowly" in await all_of(passage)


@pytest.mark.anyio
async def test_after_a_reader_has_left_nothing_is_kept() -> None:
    passage = Passage()
    passage.put(EVENT)
    reading = passage.read()
    await anext(reading)
    passage.put(EVENT)
    await reading.aclose()  # type: ignore[attr-defined]  # it is a generator
    passage.put(EVENT)
    assert passage.waiting == 0


@pytest.mark.anyio
async def test_a_stream_ends_once() -> None:
    passage = Passage()
    passage.put(EVENT)
    passage.end()
    passage.break_off("too late")
    passage.put(EVENT)
    assert await all_of(passage) == EVENT
