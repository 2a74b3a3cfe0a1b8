"""The list of runs says what the stories say, and does not grow slower with each run that it shows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, select, update

from pipelines.language import RunId
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.store.schema import MergeRequestRow, PipelineRow, RunRow, TargetPipelineRow, UsageRow
from receiver.store.story import overview, rows
from receiver.workflow.audience import Audience
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CALLS: dict[str, list[tuple[str, str | None]]] = {
    "none": [],
    "settled": [("settled", "0.0000000001"), ("settled", "0.25")],
    "unpriced": [("settled", "0.5"), ("settled", None)],
    "lost": [("settled", "0.5"), ("unknown", None)],
    "under way": [("reserved", None)],
    "not sent": [("settled", "0.5"), ("released", None)],
    "never sent": [("released", None)],
}
"""States and costs of the calls of a run."""


async def add_run(database: Database, number: int, calls: list[tuple[str, str | None]]) -> None:
    run = RunId(f"{number:016x}")
    async with database.begin() as session:
        row = await runs.create(
            session,
            run,
            issue_key=f"PL-{number}",
            status=RunStatus.FAILED,
            actor=None,
            name="",
            now=NOW + timedelta(minutes=number),
        )
        row.reason = f"reason {number}"
        if number % 2:
            row.ticket = {"key": f"PL-{number}", "summary": f"summary {number}", "description": ""}
        parent = number * 10
        for pipeline, above in ((parent, None), (parent + 1, parent)):
            session.add(
                PipelineRow(
                    id=pipeline,
                    project_id=1,
                    run_id=run,
                    iteration=1,
                    parent_id=above,
                    status="success",
                    url=f"http://gitlab/{pipeline}",
                    seen_at=NOW,
                )
            )
        await session.flush()
        session.add(
            MergeRequestRow(
                run_id=run,
                repository="payk12/contacts",
                project_id=2,
                iid=number,
                url=f"http://gitlab/mr/{number}",
                source_branch="b",
                state="opened",
                head_sha="",
                seen_head_sha="",
                opened_at=NOW,
            )
        )
        for position, (state, cost) in enumerate(calls):
            session.add(
                UsageRow(
                    call_id=f"{number}-{position}",
                    run_id=run,
                    iteration=1,
                    phase="analysis",
                    job_id=1,
                    purpose="work",
                    model="m",
                    state=state,
                    reserved_usd=Decimal(1),
                    cost_usd=None if cost is None else Decimal(cost),
                    reserved_at=NOW,
                )
            )


async def test_a_run_at_a_glance_agrees_with_its_story(database: Database) -> None:
    for number, calls in enumerate(CALLS.values(), start=1):
        await add_run(database, number, calls)
    async with database.begin() as session:
        seen = await overview.glance(session, limit=100)
        told = [await rows.story(session, await runs.find(session, one.run.id)) for one in seen]
    assert [one.run.issue_key for one in seen] == [f"PL-{number}" for number in range(len(CALLS), 0, -1)]
    for one, story in zip(seen, told, strict=True):
        assert one.cost_usd == story.costs.total.cost_usd, one.run.issue_key
        assert (one.run.summary, one.run.reason) == (story.run.summary, story.run.reason)
        assert [(link.url, link.parent) for link in one.pipelines] == [(p.url, p.parent) for p in story.pipelines]
        assert [(link.url, link.iid) for link in one.merge_requests] == [(m.url, m.iid) for m in story.merge_requests]
    assert {one.cost_usd for one in seen} == {None, Decimal(0), Decimal("0.5"), Decimal("0.2500000001")}


def target_pipeline(number: int, request: int, sha: str, status: str) -> TargetPipelineRow:
    return TargetPipelineRow(
        id=number,
        merge_request_id=request,
        sha=sha,
        source="push",
        status=status,
        url=f"http://gitlab/own/{number}",
        seen_at=NOW,
    )


@pytest.mark.parametrize(
    ("told", "state", "failed"),
    [
        ([("s", "success"), ("s", "failed")], "opened", 1),
        ([("s", "failed"), ("s", "success")], "opened", 0),
        ([("s", "success"), ("of another commit", "failed")], "opened", 0),
        ([("s", "failed")], "merged", 0),
        ([], "opened", 0),
    ],
)
async def test_an_own_pipeline_that_failed_is_seen_at_a_glance(
    database: Database, told: list[tuple[str, str]], state: str, failed: int
) -> None:
    await add_run(database, 1, [])
    async with database.begin() as session:
        request = (await session.scalars(select(MergeRequestRow))).one()
        request.head_sha, request.state = "s", state
        session.add_all(target_pipeline(n, request.id, sha, status) for n, (sha, status) in enumerate(told, start=500))
    async with database.begin() as session:
        (seen,) = await overview.glance(session, limit=10)
    assert seen.trouble == ("The own pipeline of payk12/contacts!1 failed.",) * failed


async def test_a_list_says_of_a_confidential_run_where_its_reason_is_told_and_not_the_reason(
    database: Database,
) -> None:
    await add_run(database, 1, [])
    async with database.begin() as session:
        await session.execute(update(RunRow).values(confidential=True))
    async with database.begin() as session:
        (listed,) = await overview.recent(session, limit=10)
        told = await rows.story(session, await runs.find(session, listed.id))
    assert listed.audience is Audience.WITHHELD
    assert listed.reason == overview.CONFIDENTIAL
    assert told.run.reason == "reason 1"


async def test_a_hundred_runs_take_as_many_queries_as_one(database: Database) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    counts = []
    for number in range(1, 102):
        await add_run(database, number, CALLS["settled"])
        if number in {1, 101}:
            statements.clear()
            async with database.begin() as session:
                assert len(await overview.glance(session, limit=100)) == min(number, 100)
            counts.append(len(statements))
    assert counts == [4, 4]


async def test_the_frozen_catalogue_is_not_read_for_a_list(database: Database) -> None:
    await add_run(database, 1, [])
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    async with database.begin() as session:
        (listed,) = await overview.recent(session, limit=10)
        assert await overview.recent(session, limit=10, issue_key="PL-1") == [listed]
        assert await overview.recent(session, limit=10, issue_key="PL-2") == []
    assert listed.summary == "summary 1"
    assert not [one for one in statements if RunRow.catalogue.key in one]
