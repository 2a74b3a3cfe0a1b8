"""Measure 2: from a Jira hook accepted (its 202 read) to the request for the pipeline arriving at GitLab."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import psycopg

from sandbox.demo.processes import DemoError
from sandbox.demo.world import World
from tests.bench import hooks
from tests.bench.figures import Bound, Measured, Target, over_rounds
from tests.bench.load import Connection, Shot, at_rate
from tests.bench.plan import Plan, Tell
from tests.bench.worlds import ask, connect, opened, receiver_address, settle, vendors

ROUNDS = 3
PATIENCE_S = 30.0
Ticket = tuple[str, str]
"""Key and id."""


def measure(plan: Plan, tell: Tell) -> Measured:
    """Label tickets one after the other: at rest, then with other hooks coming in."""
    with opened() as world, connect(world) as connection:
        world.start_worker()
        hooks.begin_a_run(world, connection)
        bench = _Dispatch(world, connection, plan)
        at_rest, under_noise = [], []
        for number in range(ROUNDS):
            at_rest.append(bench.round_at_rest())
            under_noise.append(bench.round_under_noise())
            tell(
                f"round {number + 1}: slowest of {plan.tickets}: {max(at_rest[-1]):.0f} ms at rest, "
                f"{max(under_noise[-1]):.0f} ms at {plan.noise_per_s:.0f} hooks/s"
            )
        told = {str(status): count for status, count in bench.noise.items()}
    noise = f"at {plan.noise_per_s:.0f} hooks/s"
    return Measured(
        figures=(
            over_rounds(
                "at rest, p99",
                unit="ms",
                samples=at_rest,
                share=0.99,
                target=Target(bound=Bound.BELOW, value=500),
            ),
            over_rounds("at rest, p50", unit="ms", samples=at_rest, share=0.5),
            over_rounds(f"{noise}, p99", unit="ms", samples=under_noise, share=0.99),
            over_rounds(f"{noise}, p50", unit="ms", samples=under_noise, share=0.5),
        ),
        facts={
            "tickets": f"{ROUNDS * plan.tickets} at rest, as many {noise}; each is labelled when the one before it has "
            "come to rest, or under noise when its pipeline is known",
            "noise": f"answers by status: {told}",
        },
    )


class _Dispatch:
    """Tickets, their hooks, and when GitLab was asked for their pipelines."""

    def __init__(self, world: World, connection: psycopg.Connection[tuple[Any, ...]], plan: Plan) -> None:
        self._world = world
        self._connection = connection
        self._plan = plan
        self._secrets = hooks.secrets_of(world)
        self._label = hooks.label_hook(connection)
        self._ordinary = hooks.ordinary(connection)
        self._numbers = itertools.count()
        self.noise: dict[int, int] = {}

    def round_at_rest(self) -> list[float]:
        """Return the milliseconds of each ticket of a round."""
        tickets = self._tickets()
        settle(self._connection, within_s=PATIENCE_S)
        accepted: list[float] = []
        for ticket in tickets:
            accepted.append(asyncio.run(self._fire(self._labelled(ticket))))
            self._wait_for_pipeline(ticket)
            settle(self._connection, within_s=PATIENCE_S)
        return self._arrivals(tickets, accepted)

    def round_under_noise(self) -> list[float]:
        """Return the same while ordinary hooks come in."""
        tickets = self._tickets()
        settle(self._connection, within_s=PATIENCE_S)
        accepted = asyncio.run(self._all_under_noise(tickets))
        settle(self._connection, within_s=PATIENCE_S)
        return self._arrivals(tickets, accepted)

    async def _all_under_noise(self, tickets: Sequence[Ticket]) -> list[float]:
        stop = asyncio.Event()
        address = receiver_address(self._world)
        noise = asyncio.create_task(at_rate(address, self._noise(), per_second=self._plan.noise_per_s, stop=stop))
        accepted: list[float] = []
        for ticket in tickets:
            accepted.append(await self._fire(self._labelled(ticket)))
            await asyncio.to_thread(self._wait_for_pipeline, ticket)
        stop.set()
        for status, count in (await noise).items():
            self.noise[status] = self.noise.get(status, 0) + count
        return accepted

    def _noise(self) -> Iterator[Shot]:
        for number in self._numbers:
            template = self._ordinary[number % len(self._ordinary)]
            body = hooks.about(template, number)
            yield hooks.shot(template, body, secrets=self._secrets, now=int(time.time()))

    def _labelled(self, ticket: Ticket) -> Shot:
        body = hooks.about_ticket(self._label, key=ticket[0], issue_id=ticket[1])
        return hooks.shot(self._label, body, secrets=self._secrets, now=int(time.time()))

    async def _fire(self, shot: Shot) -> float:
        """Send a hook on a connection of its own, as Jira does; return when its 202 was read."""
        line = await Connection.open(receiver_address(self._world))
        status = await line.fire(shot)
        at = time.time()
        await line.close()
        if status != 202:
            raise DemoError(f"The receiver answered a labelled ticket's hook with {status}.")
        return at

    def _tickets(self) -> list[Ticket]:
        """Make labelled tickets in Jira by its REST API; its own hooks of them are dropped, the bench sends its own."""
        jira = vendors(self._world).jira
        fault = {"treatment": "drop", "event": "jira:issue_created", "times": self._plan.tickets}
        client = httpx2.Client(base_url=jira["url"], auth=(jira["person"], jira["person_token"]), timeout=20)
        client.post("/_sandbox/faults", json={"hooks": [fault]}).raise_for_status()
        fields = {
            "project": {"key": "PL"},
            "summary": "Contact creation fails for names with an apostrophe",
            "description": "Saving a contact named O'Brien ends with an error.",
            "issuetype": {"name": "Bug"},
            "labels": ["bug-fix"],
        }
        made = [
            client.post("/rest/api/2/issue", json={"fields": fields}).raise_for_status().json()
            for _ in range(self._plan.tickets)
        ]
        return [(one["key"], one["id"]) for one in made]

    def _wait_for_pipeline(self, ticket: Ticket) -> None:
        deadline = time.monotonic() + PATIENCE_S
        query = "SELECT status FROM runs WHERE issue_key = %s"
        with connect(self._world) as connection:
            while (status := ask(connection, query, ticket[0])) != "running":
                if status not in (None, "admitting", "starting") or time.monotonic() > deadline:
                    raise DemoError(f"The run of {ticket[0]} is {status}; it should have got its pipeline.")
                time.sleep(0.01)

    def _arrivals(self, tickets: Sequence[Ticket], accepted: Sequence[float]) -> list[float]:
        """Return the milliseconds from each acceptance to the one request between it and the next."""
        gitlab = vendors(self._world).gitlab["url"]
        log = httpx2.get(f"{gitlab}/_sandbox/state", timeout=60).raise_for_status().json()["requests"]["entries"]
        asked = [
            entry["at"]
            for entry in log
            if entry["method"] == "POST" and entry["path"].endswith("/pipeline") and entry["status"] == 201
        ]
        found: list[float] = []
        for at, until, ticket in zip(accepted, [*accepted[1:], float("inf")], tickets, strict=True):
            mine = [one for one in asked if at <= one < until]
            if len(mine) != 1:
                raise DemoError(f"GitLab was asked for {len(mine)} pipelines for {ticket[0]}, not for one.")
            found.append((mine[0] - at) * 1000)
        return found
