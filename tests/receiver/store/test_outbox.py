from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from pipelines.language import IssueKey, RunId
from receiver import limits
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.store.schema import EffectRow
from receiver.workflow.effects import (
    CommentRefusal,
    Effect,
    PollMergeRequest,
    SettleReports,
    StartPipeline,
    UpdateTicketNote,
)
from receiver.workflow.lifecycle import FINAL
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

RUN = RunId("00000000000000aa")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


async def stored(database: Database, *effects: Effect, origin: str) -> list[int]:
    async with database.begin() as session:
        return await outbox.store(session, RUN, effects, decision=None, origin=origin, now=NOW)


@pytest.fixture
async def run(database: Database) -> RunId:
    async with database.begin() as session:
        await runs.create(session, RUN, issue_key="PL-479", status=RunStatus.STARTING, actor=None, name="Mara", now=NOW)
    return RUN


async def claimed(database: Database, effect: int) -> outbox.Pending | None:
    async with database.begin() as session:
        return await outbox.claim(session, effect, now=NOW)


@pytest.mark.usefixtures("run")
async def test_an_iteration_is_started_once_whatever_decides_it_again(database: Database) -> None:
    assert len(await stored(database, StartPipeline(iteration=1), origin="decision:1")) == 1
    assert await stored(database, StartPipeline(iteration=1), origin="decision:2") == []
    assert len(await stored(database, StartPipeline(iteration=2), origin="decision:3")) == 1


@pytest.mark.usefixtures("run")
async def test_what_was_given_up_is_done_again_only_where_that_is_wanted_and_not_at_once(database: Database) -> None:
    reading = PollMergeRequest(project_id=1, iid=2, updated_at=NOW)
    (effect,) = await stored(database, reading, origin="changed")
    async with database.begin() as session:
        await outbox.finish(session, effect, state="given_up", now=NOW, error="403")
    hour = timedelta(hours=1)
    found = []
    for later, again_after in ((2 * hour, None), (hour / 2, hour), (2 * hour, hour), (3 * hour, hour)):
        async with database.begin() as session:
            wanted = outbox.store(
                session, RUN, (reading,), decision=None, origin="x", now=NOW + later, again_after=again_after
            )
            found.append(await wanted)
    assert found == [[], [], [effect], []]


@pytest.mark.usefixtures("run")
async def test_a_decision_that_is_stored_twice_leaves_each_effect_once(database: Database) -> None:
    refusal = CommentRefusal(issue_key=IssueKey("PL-479"), text="No.")
    assert len(await stored(database, refusal, UpdateTicketNote(), origin="decision:1")) == 2
    assert await stored(database, refusal, UpdateTicketNote(), origin="decision:1") == []


@pytest.mark.usefixtures("run")
async def test_of_several_updates_of_a_note_only_the_last_is_made(database: Database) -> None:
    ids = [(await stored(database, UpdateTicketNote(), origin=f"decision:{n}"))[0] for n in (1, 2, 3)]
    told = [await claimed(database, one) for one in ids]
    assert [pending.superseded for pending in told if pending] == [True, True, False]


@pytest.mark.usefixtures("run")
async def test_reports_of_another_iteration_are_not_the_same_effect(database: Database) -> None:
    first = (await stored(database, SettleReports(iteration=1), origin="decision:1"))[0]
    await stored(database, SettleReports(iteration=2), origin="decision:2")
    pending = await claimed(database, first)
    assert pending is not None
    assert not pending.superseded


@pytest.mark.usefixtures("run")
async def test_an_effect_that_has_ended_is_not_performed_again(database: Database) -> None:
    (effect,) = await stored(database, StartPipeline(iteration=1), origin="decision:1")
    async with database.begin() as session:
        assert await outbox.finish(session, effect, state="done", now=NOW)
        assert not await outbox.finish(session, effect, state="done", now=NOW)
    assert await claimed(database, effect) is None


@pytest.mark.usefixtures("run")
async def test_an_effect_that_the_queue_lost_is_found(database: Database) -> None:
    (effect,) = await stored(database, StartPipeline(iteration=1), origin="decision:1")
    async with database.begin() as session:
        assert await outbox.orphans(session, now=NOW) == []
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    async with database.begin() as session:
        assert await outbox.orphans(session, now=NOW) == [(effect, f"effect:{RUN}:start:")]


@pytest.mark.usefixtures("run")
async def test_a_failed_attempt_is_kept_and_tried_again_later(database: Database) -> None:
    (effect,) = await stored(database, StartPipeline(iteration=1), origin="decision:1")
    pending = await claimed(database, effect)
    assert pending is not None
    async with database.begin() as session:
        await outbox.again(session, pending, error="GitLab answered 502.", at=NOW + timedelta(seconds=9))
    async with database.begin() as session:
        row = await session.get(EffectRow, effect)
        due = list(await session.scalars(text("SELECT scheduled_at FROM procrastinate_jobs ORDER BY id")))
        assert row is not None
        assert (row.state, row.attempts, row.last_error) == ("pending", 1, "GitLab answered 502.")
    assert due[-1] == NOW + timedelta(seconds=9)


def test_waits_double_are_spread_and_bounded_and_the_vendor_is_obeyed() -> None:
    waits = [outbox.wait(attempts, seed=7, retry_after=None) for attempts in range(1, 20)]
    assert all(timedelta(seconds=0.5) <= wait <= limits.EFFECT_LONGEST_WAIT for wait in waits)
    assert outbox.wait(3, seed=1, retry_after=None) != outbox.wait(3, seed=2, retry_after=None)
    assert outbox.wait(1, seed=1, retry_after=timedelta(seconds=42)) == timedelta(seconds=42)
    assert outbox.wait(1, seed=1, retry_after=timedelta(hours=9)) == limits.EFFECT_RETRY_AFTER


def test_effects_on_different_systems_do_not_wait_for_each_other() -> None:
    assert outbox.group_of(RUN, UpdateTicketNote()) != outbox.group_of(RUN, StartPipeline(iteration=1))


async def test_the_outbox_and_the_lifecycle_agree_on_what_an_end_is(database: Database) -> None:
    async with database.begin() as session:
        index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_runs_active_issue'"
        definition = str(await session.scalar(text(index)))
    assert {status for status in RunStatus if f"'{status}'" in definition} == set(FINAL)
