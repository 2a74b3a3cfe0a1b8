"""Measure 1: signed hooks durably accepted per second and their p99, beside pgbench with the same rows."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from typing import Any

import psutil
import psycopg

from sandbox.demo.processes import DemoError, free_port
from sandbox.demo.world import CHECKOUT, World
from tests.bench import hooks, pgbench
from tests.bench.figures import Bound, Figure, Measured, Target, over_rounds, ratios
from tests.bench.load import Address, Connection, Load, closed_loop
from tests.bench.plan import Plan, Tell
from tests.bench.worlds import ask, connect, opened, receiver_address, wait

MOST_PER_S = 8_000
"""Requests that are signed for each second of a round; a round that uses them up ends early and still counts."""
WARM_UP_S = 1.0
EMPTY = f"TRUNCATE deliveries, decisions, procrastinate_jobs, {pgbench.TABLE} CASCADE"


def measure(plan: Plan, tell: Tell) -> Measured:
    """Send hooks and let pgbench insert, in turns."""
    with opened() as world, connect(world) as connection:
        world.start_worker()
        hooks.begin_a_run(world, connection)
        templates = hooks.ordinary(connection)
        world.kill_worker()  # the figure is about accepting; pgbench has no worker beside it either
        return _Rounds(world, connection, templates, plan, tell).measure()


class _Rounds:
    """The rounds of one world."""

    def __init__(
        self,
        world: World,
        connection: psycopg.Connection[tuple[Any, ...]],
        templates: tuple[hooks.Template, ...],
        plan: Plan,
        tell: Tell,
    ) -> None:
        self._world = world
        self._connection = connection
        self._templates = templates
        self._secrets = hooks.secrets_of(world)
        self._plan = plan
        self._tell = tell
        self._pgbench = pgbench.program(int(ask(connection, "SHOW server_version_num")))
        self._receiver = psutil.Process(world._processes["receiver"].pid)
        self._postgres = psutil.Process(int(ask(connection, "SELECT pg_backend_pid()"))).parent()
        pgbench.make_table(connection)

    def measure(self) -> Measured:
        limit = self._generator_alone()
        self._hooks(WARM_UP_S)
        loads, rows, busy = [], [], []
        for number in range(self._plan.rounds):
            rows.append(self._rows())
            load, cores = self._hooks(self._plan.hooks_s)
            loads.append(load)
            busy.append(cores)
            self._tell(
                f"round {number + 1}: {load.rate:.0f} hooks/s, pgbench {rows[-1]:.0f} rows/s, ratio "
                f"{load.rate / rows[-1]:.3f}; cores: receiver {cores['receiver']:.2f}, Postgres {cores['postgres']:.2f}"
            )
        return self._measured(loads, rows, busy, limit)

    def _measured(self, loads: list[Load], rows: list[float], busy: list[dict[str, float]], limit: float) -> Measured:
        latencies = [load.latencies_ms for load in loads]
        rates = tuple(load.rate for load in loads)
        share = statistics.median(load.cpu_s / load.wall_s for load in loads)
        cores = {name: statistics.median(one[name] for one in busy) for name in busy[0]}
        settings = ", ".join(
            f"{name} {ask(self._connection, f'SHOW {name}')}"
            for name in ("server_version", "fsync", "synchronous_commit", "full_page_writes")
        )
        return Measured(
            figures=(
                Figure(
                    name="hooks ÷ pgbench rows",
                    unit="",
                    rounds=ratios(rates, rows),
                    target=Target(bound=Bound.AT_LEAST, value=0.25),
                ),
                over_rounds(
                    "time to 202, p99",
                    unit="ms",
                    samples=latencies,
                    share=0.99,
                    target=Target(bound=Bound.BELOW, value=100),
                ),
                over_rounds("time to 202, p50", unit="ms", samples=latencies, share=0.5),
                Figure(name="hooks accepted", unit="/s", rounds=rates),
                Figure(name="pgbench rows", unit="/s", rounds=tuple(rows)),
                Figure(
                    name="receiver's processor time for a hook",
                    unit="ms",
                    rounds=tuple(1000 * one["receiver"] / rate for one, rate in zip(busy, rates, strict=True)),
                ),
            ),
            facts={
                "load generator": f"uses {share:.2f} of one core while it sends; against a server that does nothing it "
                f"reaches {limit:.0f} requests/s",
                "cores used meanwhile": f"receiver {cores['receiver']:.2f}, Postgres {cores['postgres']:.2f}",
                "bytes of a hook": ", ".join(f"{one.kind} {len(one.body)}" for one in self._templates),
                "PostgreSQL": settings,
            },
        )

    def _rows(self) -> float:
        self._empty()
        rows = [
            pgbench.Row(source=one.source, kind=one.kind, headers=one.headers, body=one.body) for one in self._templates
        ]
        return pgbench.run(
            self._pgbench,
            self._world.database_url,
            rows,
            clients=self._plan.connections,
            seconds=self._plan.hooks_s,
            folder=self._world.state,
        )

    def _hooks(self, seconds: float) -> tuple[Load, dict[str, float]]:
        self._empty()
        shots = hooks.magazine(
            self._templates, secrets=self._secrets, count=round(MOST_PER_S * seconds), now=int(time.time())
        )
        before = self._cpu()
        load = asyncio.run(
            closed_loop(receiver_address(self._world), shots, connections=self._plan.connections, seconds=seconds)
        )
        after = self._cpu()
        if load.statuses.keys() != {202}:
            raise DemoError(f"Not every hook was answered 202: {load.statuses}. The receiver's log says why.")
        stored = ask(self._connection, "SELECT count(*) FROM deliveries")
        queued = ask(self._connection, "SELECT count(*) FROM procrastinate_jobs")
        if not stored == queued == load.accepted:
            raise DemoError(f"{load.accepted} hooks were answered 202, {stored} are stored and {queued} are queued.")
        return load, {name: (after[name] - before[name]) / load.wall_s for name in after}

    def _empty(self) -> None:
        self._connection.execute(EMPTY.encode())
        self._connection.execute("CHECKPOINT")  # both sides begin with the same write-ahead log

    def _cpu(self) -> dict[str, float]:
        """Return the processor seconds used so far; a back-end that has ended is counted in the server's children."""
        return {"receiver": _used(self._receiver), "postgres": _used(self._postgres)}

    def _generator_alone(self) -> float:
        port = free_port()
        shots = hooks.magazine(self._templates, secrets=self._secrets, count=round(20_000 * WARM_UP_S), now=0)
        server = subprocess.Popen([sys.executable, "-m", "tests.bench.quiet_server", str(port)], cwd=CHECKOUT)
        try:
            wait(lambda: _listens(port), what="The server that does nothing", within_s=20)
            address = Address(host="127.0.0.1", port=port)
            return asyncio.run(closed_loop(address, shots, connections=self._plan.connections, seconds=WARM_UP_S)).rate
        finally:
            server.terminate()
            server.wait()


def _used(process: psutil.Process | None) -> float:
    if process is None:
        return 0.0
    own = process.cpu_times()
    living = 0.0
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it ended just now: the next look finds it among the ended ones
        living += times.user + times.system
    return float(own.user + own.system + own.children_user + own.children_system + living)


def _listens(port: int) -> bool:
    async def knock() -> None:
        await (await Connection.open(Address(host="127.0.0.1", port=port))).close()

    try:
        asyncio.run(knock())
    except OSError:
        return False
    return True
