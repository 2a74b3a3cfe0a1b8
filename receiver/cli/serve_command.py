"""The command `bug-fix serve`: the web service as a process."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn

from receiver import logs
from receiver.app import create_app
from receiver.cli import command as base
from receiver.cli.command import click, command
from receiver.cli.log_level import log_level_option
from receiver.settings import Settings, SettingsError

AT_ONCE: Final = 1000
"""Concurrent connections and requests above which the answer is 503: far more than a team's CI needs."""


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
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=120,  # model calls under way are read to their end
        timeout_keep_alive=75,  # longer than proxies and clients keep idle connections: the other way requests get lost
        server_header=False,
        limit_concurrency=AT_ONCE,
    )
    with _listener(settings) as listener:
        await uvicorn.Server(config).serve(sockets=[listener])


def _listener(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise SettingsError(
            f"Can't listen on {settings.host}, port {settings.port}: {error}. "
            "Set HOST to an address of this machine and PORT to one that is free there."
        ) from error
