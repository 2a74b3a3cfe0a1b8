"""The command `bug-fix work`: a worker as a process."""

from __future__ import annotations

import os

from receiver import logs
from receiver.cli import command as base
from receiver.cli.command import click, command
from receiver.cli.log_level import log_level_option
from receiver.outbound import faults
from receiver.settings import WorkerSettings, load
from receiver.store.postgres.database import Database, address
from receiver.worker import loop
from receiver.worker.assembly import assemble


@click.command()
@log_level_option
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
