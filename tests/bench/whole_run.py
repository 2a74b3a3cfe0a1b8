"""Measure 4: the wall time of a whole run of PL-479 on the emulated runner, less tests and model turns.

Wall time: from the label's hook received to the run's last status. Taken off, for the jobs on the critical path only:
each model call from its reservation to its settlement (the ledger), each test-suite run (`duration_s` of the reports)
and each run of the reproduction (its JUnit report's time). Not taken off: clones, installation, the application's and
the browser's start, what the agent's tools do, Python's start in each job.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import datetime
from typing import Any

import httpx2
import psycopg

from sandbox.demo.play import label_ticket
from sandbox.demo.processes import DemoError
from sandbox.demo.story import ENDED
from sandbox.demo.world import World
from tests.bench.critical_path import Accounts, Span, account
from tests.bench.figures import Bound, Figure, Measured, Target
from tests.bench.plan import Plan, Tell
from tests.bench.worlds import ask, connect, opened, vendors, wait

LONGEST_S = 600.0
WANTED = "in_review"


def measure(plan: Plan, tell: Tell) -> Measured:
    """Play the scenario, each time in a new world."""
    found: list[Accounts] = []
    for number in range(plan.runs):
        one = _play(tell)
        found.append(one)
        tell(
            f"run {number + 1}: {one.wall_s:.1f} s, of it tests {one.tests_s:.1f} s, model {one.model_s:.1f} s; "
            f"left {one.ours_s:.1f} s, ratio {one.ratio:.2f}"
        )
    return Measured(
        figures=(
            Figure(
                name="run ÷ its tests and model turns",
                unit="",
                rounds=tuple(one.ratio for one in found),
                target=Target(bound=Bound.AT_MOST, value=1.5),
            ),
            Figure(
                name="wall time less tests and model turns",
                unit="s",
                rounds=tuple(one.ours_s for one in found),
                target=Target(bound=Bound.BELOW, value=20),
            ),
            Figure(name="of it between the jobs", unit="s", rounds=tuple(one.between_s for one in found)),
            Figure(name="wall time", unit="s", rounds=tuple(one.wall_s for one in found)),
            Figure(name="tests on the critical path", unit="s", rounds=tuple(one.tests_s for one in found)),
            Figure(name="model turns on the critical path", unit="s", rounds=tuple(one.model_s for one in found)),
        ),
        facts={
            "critical path of the last run": ", ".join(
                f"{span.phase} {span.end - span.start:.0f} s" for span in found[-1].path
            )
            + " (GitLab's hooks tell whole seconds)"
        },
    )


def _play(tell: Tell) -> Accounts:
    with opened() as world, connect(world) as connection:
        world.start_worker()
        label_ticket(world)
        tell("a run of PL-479 has been started")
        wait(lambda: _ended(world, connection), what="The run's end", within_s=LONGEST_S, every_s=0.5)
        status, reason = connection.execute("SELECT status, reason FROM runs").fetchone() or ("", "")
        if status != WANTED:
            raise DemoError(f"The run ended as {status}, so it is no measure: {reason}")
        return _accounts(world, connection)


def _ended(world: World, connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    world.alive()
    return ask(connection, "SELECT status FROM runs") in ENDED


def _accounts(world: World, connection: psycopg.Connection[tuple[Any, ...]]) -> Accounts:
    begun: datetime = ask(
        connection, "SELECT received_at FROM deliveries WHERE run_id IS NOT NULL ORDER BY received_at LIMIT 1"
    )
    ended: datetime = ask(connection, "SELECT status_at FROM runs")
    spans = [
        Span(
            phase=phase,
            start=(start - begun).total_seconds(),
            end=(end - begun).total_seconds(),
            tests_s=_suites(connection, job) + _other_tests(world, connection, job),
            model_s=_turns(connection, job),
        )
        for job, phase, start, end in connection.execute(
            "SELECT id, phase, started_at, finished_at FROM jobs WHERE phase IS NOT NULL AND finished_at IS NOT NULL"
        )
    ]
    return account(spans, wall_s=(ended - begun).total_seconds())


def _turns(connection: psycopg.Connection[tuple[Any, ...]], job: int) -> float:
    query = "SELECT coalesce(sum(extract(epoch FROM settled_at - reserved_at)), 0) FROM usage WHERE job_id = %s"
    return float(ask(connection, query, job))


def _suites(connection: psycopg.Connection[tuple[Any, ...]], job: int) -> float:
    query = """
        SELECT sum(coalesce((report -> 'result' -> part ->> 'duration_s')::float, 0))
          FROM reports, unnest(ARRAY['suite', 'baseline', 'integration', 'lint']) AS part WHERE job_id = %s
    """
    return float(ask(connection, query, job) or 0)


def _other_tests(world: World, connection: psycopg.Connection[tuple[Any, ...]], job: int) -> float:
    """Return the seconds of the job's runs of tests that its report has no duration of, from their JUnit files."""
    rows = connection.execute(
        "SELECT r.project_id, a.path FROM artifacts a JOIN reports r ON r.id = a.report_id"
        " WHERE r.job_id = %s AND a.kind = 'junit' AND a.path !~ '/junit-(unit|integration)[^/]*$'",
        [job],
    ).fetchall()
    gitlab = vendors(world).gitlab
    total = 0.0
    for project, path in rows:
        answer = httpx2.get(
            f"{gitlab['url']}/api/v4/projects/{project}/jobs/{job}/artifacts/{path}",
            headers={"PRIVATE-TOKEN": gitlab["token"]},
            timeout=20,
        )
        total += junit_seconds(answer.raise_for_status().content)
    return total


def junit_seconds(document: bytes) -> float:
    """Return the time that a JUnit report's suites took."""
    root = ET.fromstring(document)  # noqa: S314 - written by pytest for the bench's own scenario
    return sum(float(suite.get("time", "0")) for suite in root.iter("testsuite"))
