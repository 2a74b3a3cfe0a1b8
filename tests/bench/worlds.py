"""Worlds to measure in: real processes as in the demo, and a look into their database. Measures nothing."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import yaml

from sandbox.demo.processes import DemoError
from sandbox.demo.world import Vendors, World
from sandbox.scenario_format import find, load
from tests.bench.load import Address

SCENARIO = "pl-479"
BUDGET_USD = 100_000
"""Of a run and of a day: the bench is not to be stopped by a budget."""

MANY = 100_000
"""Runs at once: nor by the queue."""


@contextmanager
def opened() -> Iterator[World]:
    """Give a world with Postgres, the emulators and the receiver; the worker is the measure's to start."""
    state = Path(tempfile.mkdtemp(prefix="bug-fix-bench-"))
    scenario = load(find(SCENARIO))
    catalogue = yaml.safe_load((scenario.folder / "bug-fix.yml").read_text())
    catalogue["policy"]["budget_usd"] = {"run": BUDGET_USD, "day": BUDGET_USD}
    catalogue["policy"]["concurrency"] = {"all": MANY, "project": MANY, "person": MANY}
    with World(scenario=str(scenario.folder), state=state, catalogue=state / "bug-fix.yml") as world:
        world.catalogue.write_text(yaml.safe_dump(catalogue))
        world.start_postgres()
        world.start_sandbox()
        world.start_receiver()
        yield world
    shutil.rmtree(state, ignore_errors=True)  # only when nothing went wrong: its logs say why


def vendors(world: World) -> Vendors:
    """Return what the emulators told of themselves."""
    if world.vendors is None:
        raise DemoError("The sandbox has not been started.")
    return world.vendors


def receiver_address(world: World) -> Address:
    """Return where the receiver listens."""
    return Address(host="127.0.0.1", port=world.port)


def connect(world: World) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect to the world's database."""
    return psycopg.connect(world.database_url, autocommit=True)


def ask(connection: psycopg.Connection[tuple[Any, ...]], query: str, *values: object) -> Any:
    """Return the first column of a query's first row; None without one."""
    row = connection.execute(query.encode(), values).fetchone()
    return None if row is None else row[0]


def hold_jobs(world: World) -> None:
    """Keep every CI job pending: pipelines are created and don't run."""
    httpx2.post(f"{vendors(world).gitlab['url']}/_sandbox/jobs/hold", json={}, timeout=20).raise_for_status()


def wait(ready: Callable[[], object], *, what: str, within_s: float, every_s: float = 0.02) -> None:
    """Return once `ready()`; raise DemoError after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > deadline:
            raise DemoError(f"{what} did not happen within {within_s:.0f} s.")
        time.sleep(every_s)


QUIET = """
    SELECT NOT EXISTS (SELECT 1 FROM deliveries WHERE verdict IS NULL)
       AND NOT EXISTS (SELECT 1 FROM effects WHERE state = 'pending' AND due_at <= now())
"""


def settle(connection: psycopg.Connection[tuple[Any, ...]], *, within_s: float = 30.0) -> None:
    """Wait until every delivery has its verdict and every due effect is performed."""
    wait(lambda: ask(connection, QUIET), what="Rest", within_s=within_s)
