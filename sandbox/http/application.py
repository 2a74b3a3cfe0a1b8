"""The ASGI 3 application of an emulator: a router behind middleware, and hooks that run at its start and stop."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from sandbox.http.messages import Disconnect, HttpError, Request, Response
from sandbox.http.routing import Router

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Handler = Callable[[Request], Awaitable[Response]]
Middleware = Callable[[Request, Handler], Awaitable[Response]]

MAX_BODY: Final = 128 * 1024 * 1024


class Application:
    """The ASGI application of one emulator: router, middleware (outermost first), start and stop hooks."""

    def __init__(self, router: Router, *, middleware: Sequence[Middleware] = ()) -> None:
        self.router = router
        self.middleware = list(middleware)
        self.on_startup: list[Callable[[], Awaitable[None]]] = []
        self.on_shutdown: list[Callable[[], Awaitable[None]]] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Speak ASGI 3."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        try:
            response = await self._answer(await _read(scope, receive))
        except Disconnect:
            await _drop(receive, send)
            return
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()
        ]
        if isinstance(response.body, bytes):
            if response.status not in {204, 304}:
                headers.append((b"content-length", str(len(response.body)).encode()))
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            await send({"type": "http.response.body", "body": response.body if scope["method"] != "HEAD" else b""})
            return
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        try:
            async for chunk in response.body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Disconnect:
            await _drop(receive, send)
            return
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, request: Request) -> Response:
        handler: Handler = self._route
        for middleware in reversed(self.middleware):
            handler = _wrap(middleware, handler)
        return await handler(request)

    async def _route(self, request: Request) -> Response:
        try:
            return await self.router(request)
        except HttpError as error:
            return Response.json(error.payload, status=error.status, headers=error.headers)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            hooks = self.on_startup if message["type"] == "lifespan.startup" else self.on_shutdown
            for hook in hooks:
                await hook()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def _wrap(middleware: Middleware, handler: Handler) -> Handler:
    async def call(request: Request) -> Response:
        try:
            return await middleware(request, handler)
        except HttpError as error:
            return Response.json(error.payload, status=error.status, headers=error.headers)

    return call


async def _read(scope: Message, receive: Receive) -> Request:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            raise Disconnect
        if not message.get("more_body", False):
            break
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=tuple(query),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=b"".join(chunks),
        client=(scope.get("client") or ("", 0))[0],
    )


async def _drop(receive: Receive, send: Send) -> None:
    """Close the socket without an answer: uvicorn's `send` is a method of the object that holds the transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        await receive()
