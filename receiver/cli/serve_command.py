"""The command `bug-fix serve`: the web service as a process."""

from __future__ import annotations

import resource
import socket

import uvicorn
from litestar.types import ASGIApp

from receiver import limits, logs
from receiver.app import create_app
from receiver.cli import command as base
from receiver.cli.command import click, command
from receiver.cli.log_level import log_level_option
from receiver.settings import Settings, SettingsError
from receiver.web import connections


@click.command()
@log_level_option
@command
async def serve(log_level: str) -> None:
    """Receive hooks, serve CI jobs, forward model calls.

    Listens on HOST and PORT. `bug-fix work` does what hooks ask for. On SIGTERM it answers the requests under way and
    stops.
    """
    logs.configure(log_level)
    settings = base.settings()
    app = create_app(settings, catalogue=base.catalogue(settings.bug_fix_catalogue))
    config = server_config(app, settings, in_all=min(limits.WAITING_IN_ALL, _open_files() // 4))
    with listening(settings) as listener:
        await _Server(config).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Asyncio has one number for the connections that the system queues and for those that are taken in at once."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(limits.UNACCEPTED)


def server_config(app: ASGIApp, settings: Settings, *, in_all: int = limits.WAITING_IN_ALL) -> uvicorn.Config:
    """Return how the application is served. `in_all`: connections that may wait for their senders."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=120,  # model calls under way are read to their end
        timeout_keep_alive=limits.CONNECTION_KEPT_S,
        server_header=False,
        http=connections.protocol(connections.Patience(in_all=in_all)),
        ws="none",
        backlog=limits.ACCEPTED_AT_ONCE,
        limit_concurrency=limits.SERVED_AT_ONCE,
    )


def _open_files() -> int:
    """Return how many files may be open, after raising the limit as far as wanted and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.OPEN_FILES if hard == resource.RLIM_INFINITY else min(limits.OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def listening(settings: Settings) -> socket.socket:
    """Return the socket that the service listens on. Raises `SettingsError`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise SettingsError(
            f"Can't listen on {settings.host}, port {settings.port}: {error}. "
            "Set HOST to an address of this machine and PORT to one that is free there."
        ) from error
    # Connections inherit it. asyncio sets it only where the listener names its protocol, which this one doesn't: each
    # answer on a connection that is kept would wait 40 ms for the other side's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
