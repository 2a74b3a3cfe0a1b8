"""Server-sent events are read as the standard says, wherever their bytes are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.gateway.event_stream import EventStream

STREAMS = [
    (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    (b'data: {"a":\ndata: 1}\n\n', [b'{"a":\n1}']),
    (b"event: x\nid: 1\nretry: 5\n: a comment\ndata:a\n\n", [b"a"]),
    (b"data:  two blanks\n\n", [b" two blanks"]),
    (b"data\n\n", [b""]),
    (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    (b"event: ping\n\n\n\n", []),
    (b"data: never ended\n", []),
    (b"data: never ended", []),
    (b"database: x\n\n", []),
]


@pytest.mark.parametrize(("stream", "events"), STREAMS)
@given(data=st.data())
def test_events_are_the_same_wherever_the_bytes_are_cut(
    data: st.DataObject, stream: bytes, events: list[bytes]
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    reader = EventStream()
    edges = [0, *sorted(cuts), len(stream)]
    found = [one for begin, end in itertools.pairwise(edges) for one in reader.feed(stream[begin:end])]
    assert found == events
