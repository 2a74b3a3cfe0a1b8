"""A request as ASGI gives it: its headers, its body, its answer. Knows no address.

For hooks only: finding dependencies, checking a handler's arguments and building Litestar's request and response costs
as much processor time as proving and reading a hook does.
"""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import Receive, Scope, Send

from receiver.web.problems import AnyRequest


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers, by lowercase names."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def announced(headers: Mapping[str, str]) -> int | None:
    """Return how many bytes the body is said to have; None when it isn't said."""
    length = headers.get("content-length", "")
    return int(length) if "transfer-encoding" not in headers and length.isdecimal() else None


async def body_of(headers: Mapping[str, str], receive: Receive, *, at_most: int) -> bytes:
    """Return the whole body. Raises RequestEntityTooLarge before more than `at_most` bytes are held.

    Raises ClientException when the sender hangs up.
    """
    if (announced(headers) or 0) > at_most:
        raise RequestEntityTooLarge
    chunks: list[bytes] = []
    left = at_most
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientException("The sender hung up before the body was complete.")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        left -= len(chunk)
        if left < 0:
            raise RequestEntityTooLarge
        chunks.append(chunk)
    return b"".join(chunks)


async def answer_json(send: Send, *, status: int, body: bytes) -> None:
    """Answer with a JSON document."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def answer(scope: Scope, receive: Receive, send: Send, response: Response[bytes]) -> None:
    """Answer with one of Litestar's responses."""
    await response.to_asgi_response(None, AnyRequest(scope, receive, send))(scope, receive, send)
