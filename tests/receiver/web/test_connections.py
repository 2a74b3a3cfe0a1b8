"""Whoever opens connections and says nothing takes nothing from those who speak. Real connections, a small server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from receiver.web.connections import Patience, WaitingRoom, protocol, sender

pytestmark = pytest.mark.anyio

REQUEST = b"POST /hooks/gitlab HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}"
SILENT = {
    "nothing": b"",
    "half a head": b"POST /hooks/gitlab HTTP/1.1\r\nHost: x\r\n",
    "an announced body that never comes": REQUEST[:-1],
}
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Any]


class App:
    """Reads the body and answers 202, when it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            more = message["more_body"]
        self.asked.set()
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class LongAnswer:
    """Streams an answer that is far larger than the system's buffers."""

    SIZE = 32 * 1024 * 1024

    def __init__(self) -> None:
        self.under_way = 0
        self.ended = asyncio.Event()

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        length = str(self.SIZE).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        self.under_way += 1
        await send({"type": "http.response.body", "body": b"x" * self.SIZE, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})  # when the other side has read
        self.under_way -= 1
        self.ended.set()


@asynccontextmanager
async def served(app: Any, **patience: Any) -> AsyncIterator[Connect]:
    config = uvicorn.Config(app, http=protocol(Patience(**patience)), lifespan="off", log_config=None, ws="none")
    config.load()
    state = ServerState()

    def made() -> Any:
        return config.http_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[call-arg]

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    opened: list[Stream] = []

    async def connect() -> Stream:
        stream = await asyncio.open_connection("127.0.0.1", port)
        opened.append(stream)
        return stream

    try:
        yield connect
    finally:
        server.close()
        for _, writer in opened:
            writer.close()


async def answer(stream: Stream, request: bytes = REQUEST) -> bytes:
    reader, writer = stream
    writer.write(request)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    return head.split(b"\r\n")[0]


async def is_closed(stream: Stream) -> bool:
    try:
        return await asyncio.wait_for(stream[0].read(1), 20) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("first", SILENT.values(), ids=SILENT.keys())
async def test_forty_silent_connections_leave_room_for_one_that_speaks(first: bytes) -> None:
    async with served(App(), of_address=10) as connect:
        silent = []
        for _ in range(40):
            stream = await connect()
            stream[1].write(first)
            silent.append(stream)
        assert await answer(await connect()) == b"HTTP/1.1 202 Accepted"
        assert all([await is_closed(stream) for stream in silent[:30]])


@pytest.mark.parametrize("first", SILENT.values(), ids=SILENT.keys())
async def test_a_request_that_does_not_arrive_in_time_ends_its_connection(first: bytes) -> None:
    async with served(App(), head_s=0.05, body_s=0.05) as connect:
        stream = await connect()
        stream[1].write(first)
        assert await is_closed(stream)


async def test_a_sender_who_trickles_gets_no_more_time() -> None:
    async with served(App(), head_s=0.1) as connect:
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nx: ")
        while not reader.at_eof():
            writer.write(b"x")
            try:
                await asyncio.wait_for(reader.read(1), 0.01)
            except TimeoutError:
                continue
            except ConnectionError:
                break


async def test_a_request_that_is_being_answered_waits_for_nobody_and_makes_room_for_nobody() -> None:
    app = App()
    app.may_answer.clear()
    async with served(app, of_address=3, head_s=0.05, body_s=0.05) as connect:
        busy = asyncio.create_task(answer(await connect()))
        await asyncio.wait_for(app.asked.wait(), 20)
        for _ in range(5):
            assert await is_closed(await connect())  # each past its deadline, which the busy one has not
        app.may_answer.set()
        assert await busy == b"HTTP/1.1 202 Accepted"


async def test_a_connection_is_kept_between_requests_and_goes_when_others_came_later() -> None:
    async with served(App(), of_address=2, head_s=0.05) as connect:
        kept, other = await connect(), await connect()
        for stream in (kept, other, kept):  # kept was used last
            assert await answer(stream) == b"HTTP/1.1 202 Accepted"
        await connect()
        assert await is_closed(other)
        assert await answer(kept) == b"HTTP/1.1 202 Accepted"


async def test_an_answer_that_nobody_reads_ends_its_connection() -> None:
    app = LongAnswer()
    async with served(app, unread_s=0.05) as connect:
        stream = await connect()
        assert await answer(stream) == b"HTTP/1.1 200 OK"
        await asyncio.wait_for(app.ended.wait(), 20)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await asyncio.wait_for(stream[0].readexactly(app.SIZE), 20)


async def test_those_who_do_not_read_make_room_as_those_do_who_do_not_speak() -> None:
    app = LongAnswer()
    async with served(app, of_address=3) as connect:
        streams = [await connect() for _ in range(3)]
        for stream in streams:
            assert await answer(stream) == b"HTTP/1.1 200 OK"
        assert app.under_way == 3
        await connect()
        await asyncio.wait_for(app.ended.wait(), 20)
        assert app.under_way == 2
        assert len(await asyncio.wait_for(streams[1][0].readexactly(app.SIZE), 20)) == app.SIZE


async def test_a_few_requests_may_be_sent_ahead_and_not_many() -> None:
    app = App()
    async with served(app, pipelined=3) as connect:
        few, many = await connect(), await connect()
        assert await answer(few, 4 * REQUEST) == b"HTTP/1.1 202 Accepted"
        for _ in range(3):
            assert await answer(few, b"") == b"HTTP/1.1 202 Accepted"
        app.may_answer.clear()
        many[1].write(5 * REQUEST)
        assert await is_closed(many)


def test_who_waits_longest_goes_first_from_where_most_wait() -> None:
    room: WaitingRoom[str] = WaitingRoom(of_address=3, in_all=4)
    assert [room.enter(name, "one") for name in "abc"] == [None, None, None]
    assert room.enter("a", "one") is None, "it waits already, and keeps its place"
    assert room.enter("d", "one") == "a"
    assert room.enter("e", "two") is None
    assert room.enter("f", "two") == "b", "the fullest address gives the place"
    room.leave("c", "one")
    room.leave("c", "one")
    room.leave("nobody", "nowhere")
    assert (room.enter("g", "three"), len(room)) == (None, 4)


@pytest.mark.parametrize(
    ("host", "whose"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_address_is_a_senders_not_a_machines(host: str, whose: str) -> None:
    assert sender(host) == whose
