"""The commands that run the service: serve, work, migrate."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Final

import uvicorn

from receiver import logs
from receiver.app import create_app
from receiver.cli import command as base
from receiver.cli.command import click, command
from receiver.outbound import faults
from receiver.settings import DatabaseSettings, Settings, SettingsError, WorkerSettings, load
from receiver.store.postgres import migration as migrations
from receiver.store.postgres.database import Database, address
from receiver.worker import loop
from receiver.worker.assembly import assemble

AT_ONCE: Final = 1000
"""Concurrent connections and requests above which the answer is 503: far more than a team's CI needs."""

_LEVELS = click.Choice(sorted(logs.LEVELS))
_log_level = click.option("--log-level", type=_LEVELS, default="info", show_default=True, help="What is logged.")


@click.command()
@_log_level
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


@click.command()
@_log_level
@command
async def work(log_level: str) -> None:
    """Process hooks and perform what follows: pipelines, merge requests, comments.

    Any number of workers share one database. On SIGTERM a worker finishes what is under way and stops; a killed one
    loses nothing, and others take over its work within seconds.
    """
    logs.configure(log_level)
    settings = load(WorkerSettings, os.environ)
    catalogue = base.catalogue(settings.bug_fix_catalogue)
    point = faults.configured(os.environ.get("BUG_FIX_FAULT"))
    async with Database(address(settings), pool_size=settings.worker_concurrency + 4) as database:
        workshop = await assemble(settings, database, catalogue=catalogue, faults=point)
        await loop.run(workshop, concurrency=settings.worker_concurrency, sweep_every=float(settings.sweep_seconds))


@click.command()
@command
async def migrate() -> None:
    """Bring the database to this version's tables.

    Needs only DATABASE_URL or BUG_FIX_EMBEDDED. Safe to repeat and to run concurrently. Run it before starting the
    processes of a new version; those of the old version keep working.
    """
    url = address(load(DatabaseSettings, os.environ))
    await asyncio.to_thread(migrations.upgrade, url)
    base.out.print(f"The database is at revision {migrations.newest()}.")
