"""Notice that a client has gone while its answer is being made: ASGI tells only those who keep listening."""

import asyncio
from contextvars import ContextVar
from typing import Any

from sandbox.http import Application, Message, Receive, Send

_GONE: ContextVar[asyncio.Event] = ContextVar("gone")


def client_gone() -> asyncio.Event:
    """Return the event that is set once the client of the current request has disconnected."""
    return _GONE.get()


class Watched:
    """An ASGI application that goes on listening after the request's body has been read."""

    def __init__(self, app: Application, *, emulator: Any) -> None:  # noqa: ANN401 - app.py's type, which imports this
        self._app = app
        self.emulator = emulator
        """The state behind the routes, for tests that run it in process."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Speak ASGI 3."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        gone = asyncio.Event()
        _GONE.set(gone)
        watchers: list[asyncio.Task[None]] = []

        async def watch() -> None:
            if (await receive())["type"] == "http.disconnect":
                gone.set()

        async def receive_and_watch() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                gone.set()
            elif not message.get("more_body", False):
                watchers.append(asyncio.create_task(watch()))
            return message

        try:
            await self._app(scope, receive_and_watch, send)
        finally:
            for watcher in watchers:
                watcher.cancel()
