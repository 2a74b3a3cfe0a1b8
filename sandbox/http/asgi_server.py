"""Run ASGI applications with uvicorn: several in one event loop, or one in a thread for tests.

Sockets are bound first, so that port 0 works and an URL is known before anything answers.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import uvicorn


def bind(port: int = 0, host: str = "127.0.0.1") -> tuple[socket.socket, str]:
    """Listen on a port (0 takes a free one); give the socket and its base URL."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(2048)
    return listener, f"http://{host}:{listener.getsockname()[1]}"


class _Server(uvicorn.Server):
    """Ends when it is told to. uvicorn looks every tenth of a second whether it was, and then as long for clients."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told_to_end = asyncio.Event()

    def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        self._told_to_end.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no signal handlers: the caller runs several servers."""
        yield

    async def main_loop(self) -> None:
        ticking = asyncio.create_task(super().main_loop())
        await self._told_to_end.wait()
        ticking.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - the caller closes them
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn's
                    await asyncio.sleep(0.002)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


def _server(app: Any) -> _Server:  # noqa: ANN401 - any ASGI application
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,  # setting up logging costs as much as all else here
            log_level="warning",
            lifespan="on",
            proxy_headers=False,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,  # nginx's, before GitLab: a shorter one makes idle clients lose requests
            timeout_graceful_shutdown=2,
        )
    )


@contextlib.asynccontextmanager
async def serving(apps: Sequence[tuple[Any, socket.socket]]) -> AsyncIterator[None]:
    """Serve all applications until the block ends; inside of it all of them answer."""
    servers = [_server(app) for app, _ in apps]
    tasks = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, (_, listener) in zip(servers, apps, strict=True)
    ]
    try:
        while not all(server.started for server in servers):
            done = [task for task in tasks if task.done()]
            if done:
                await asyncio.gather(*done)
                raise RuntimeError("a server of the sandbox ended before it had started")
            await asyncio.sleep(0.005)
        yield
    finally:
        for server in servers:
            server.end()
        await asyncio.gather(*tasks)
        for _, listener in apps:
            listener.close()


@contextlib.contextmanager
def in_thread(app: Any, listener: socket.socket) -> Iterator[None]:  # noqa: ANN401 - any ASGI application
    """Serve one application from a thread with its own event loop, for synchronous callers."""
    ready, stop = threading.Event(), threading.Event()
    failure: list[BaseException] = []

    async def run() -> None:
        async with serving([(app, listener)]):
            ready.set()
            await asyncio.to_thread(stop.wait)

    def main() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001 - handed over to the caller's thread
            failure.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=main, name="sandbox-server", daemon=True)
    thread.start()
    ready.wait()
    try:
        if failure:
            raise failure[0]
        yield
    finally:
        stop.set()
        thread.join()
