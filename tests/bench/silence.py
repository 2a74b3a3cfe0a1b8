"""Measure 6: hooks taken in while somebody holds as many connections open as he can, and says nothing.

Run as a process it is that somebody: `python -m tests.bench.silence PORT CONNECTIONS`.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from sandbox.demo.world import CHECKOUT
from tests.bench import hooks
from tests.bench.figures import Bound, Figure, Measured, Target, over_rounds
from tests.bench.load import Address, Connection, Shot
from tests.bench.plan import Plan, Tell
from tests.bench.worlds import connect, opened, receiver_address

SILENT: Final = 1005
"""More than the service keeps, and than it once took in all."""
MOST_PER_S: Final = 300
HEAD: Final = b"POST /hooks/jira HTTP/1.1\r\nHost: x\r\nX-Hub-Signature: sha256=00\r\nContent-Length: 100\r\n\r\n"
FIRST: Final = (b"", HEAD[:40], HEAD)
"""What a silent sender says first: nothing, half a head, a head whose body never comes."""


def measure(plan: Plan, tell: Tell) -> Measured:
    """Send hooks one after the other, each on a connection of its own, without and with silent connections."""
    with opened() as world, connect(world) as connection:
        world.start_worker()
        hooks.begin_a_run(world, connection)
        templates, secrets = hooks.ordinary(connection), hooks.secrets_of(world)
        world.kill_worker()
        address = receiver_address(world)

        def rounds(seconds: float) -> tuple[list[float], Counter[int]]:
            count = round(MOST_PER_S * seconds)
            shots = hooks.magazine(templates, secrets=secrets, count=count, now=int(time.time()))
            return asyncio.run(_one_by_one(address, shots, seconds=seconds))

        alone, _ = rounds(plan.silence_s / 4)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.bench.silence", str(address.port), str(SILENT)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
        ) as somebody:
            try:
                if somebody.stdout is not None:
                    somebody.stdout.readline()  # all connections were opened once
                beside, statuses = rounds(plan.silence_s)
            finally:
                somebody.terminate()
    tell(f"{len(beside)} hooks beside {SILENT} silent connections, {len(alone)} alone; answers {dict(statuses)}")
    below = Target(bound=Bound.BELOW, value=100)
    refused = float(sum(statuses.values()) - statuses[202])
    return Measured(
        figures=(
            over_rounds("time to 202, p99", unit="ms", samples=[beside], share=0.99, target=below),
            over_rounds("time to 202, p50", unit="ms", samples=[beside], share=0.5),
            Figure(name="hooks without a 202", unit="", rounds=(refused,), target=Target(bound=Bound.AT_MOST, value=0)),
            over_rounds("without silent connections, p99", unit="ms", samples=[alone], share=0.99),
            over_rounds("without silent connections, p50", unit="ms", samples=[alone], share=0.5),
        ),
        facts={
            "silent": f"{SILENT} connections of one address for {plan.silence_s:.0f} s, opened anew when they are "
            "closed; a third says nothing, a third half a head, a third announces a body that never comes",
            "hooks": f"{len(beside)}, of the same address, each on a connection of its own, opening included",
        },
    )


async def _one_by_one(address: Address, shots: Sequence[Shot], *, seconds: float) -> tuple[list[float], Counter[int]]:
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    until = time.perf_counter() + seconds
    for shot in shots:
        began = time.perf_counter()
        if began > until:
            break
        try:
            line = await Connection.open(address)
            status = await line.fire(shot)
            await line.close()
        except (OSError, EOFError):
            status = 0
        statuses[status] += 1
        latencies.append((time.perf_counter() - began) * 1000)
    return latencies, statuses


async def _hold(port: int, count: int) -> None:
    """Hold connections open; look once a second which were closed, and open others in their place."""
    held: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
    while True:
        for number in range(count):
            known = held.get(number)
            if known is not None and not known[0].at_eof() and known[0].exception() is None:
                continue
            try:
                held[number] = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            held[number][1].write(FIRST[number % len(FIRST)])
        sys.stdout.write("all opened\n")
        sys.stdout.flush()
        await asyncio.sleep(1)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    asyncio.run(_hold(int(sys.argv[1]), int(sys.argv[2])))
