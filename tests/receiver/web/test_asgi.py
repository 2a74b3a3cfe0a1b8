"""Bodies as a server hands them over: whole or in pieces, too large, or cut off."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from receiver.web.asgi import announced, body_of

pytestmark = pytest.mark.anyio

GONE = {"type": "http.disconnect"}


def piece(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def server(*messages: dict[str, Any]) -> Callable[[], Awaitable[Any]]:
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    return receive


async def test_a_body_in_pieces_is_put_together_as_it_was() -> None:
    assert await body_of({}, server(piece(b"ab"), piece(b""), piece(b"cd", more=False)), at_most=4) == b"abcd"
    assert await body_of({}, server({"type": "http.request"}), at_most=4) == b""


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    with pytest.raises(RequestEntityTooLarge):
        await body_of({"content-length": "5"}, server(), at_most=4)


async def test_a_body_that_grows_too_large_is_read_no_further() -> None:
    with pytest.raises(RequestEntityTooLarge):
        await body_of({"content-length": "4"}, server(piece(b"abc"), piece(b"de")), at_most=4)


async def test_a_sender_that_hangs_up_has_sent_nothing() -> None:
    with pytest.raises(ClientException, match="hung up"):
        await body_of({}, server(piece(b"{}"), GONE), at_most=4)


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"content-length": "12"}, 12),
        ({}, None),
        ({"content-length": "-1"}, None),
        ({"content-length": "12", "transfer-encoding": "chunked"}, None),
    ],
)
def test_a_length_counts_only_when_nothing_contradicts_it(headers: dict[str, str], length: int | None) -> None:
    assert announced(headers) == length
