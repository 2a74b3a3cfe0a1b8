"""The command `bug-fix migrate`. Imports neither the web service nor the worker: it runs before each of them."""

from __future__ import annotations

import asyncio
import os

from receiver.cli import command as base
from receiver.cli.command import click, command
from receiver.settings import DatabaseSettings, load
from receiver.store.postgres import migration as migrations
from receiver.store.postgres.database import address


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
