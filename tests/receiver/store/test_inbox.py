import asyncio
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import select, text

from receiver.store.deliveries.inbox import Accepted, DatabaseDownError, Incoming, accept, accept_all
from receiver.store.postgres.database import Database, lock
from receiver.store.postgres.queue import enqueue_delivery
from receiver.store.schema import DeliveryRow

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIRST = 4_000_000_000
"""A delivery that only the queue knows."""


def incoming(key: str, *, ordering_key: str = "PL-479") -> Incoming:
    return Incoming(
        source="jira",
        key=key,
        ordering_key=ordering_key,
        kind="jira:issue_updated",
        headers={"X-Hub-Signature": "sha256=00", "Content-Type": "application/json"},
        body=b"{}",
        received_at=NOW,
    )


async def test_a_delivery_sent_five_times_at_once_is_stored_and_enqueued_once(database: Database) -> None:
    answers = await asyncio.gather(*(accept(database, incoming("one")) for _ in range(5)))
    assert {answer.id for answer in answers} == {answers[0].id}
    assert sorted(answer.repeated for answer in answers) == [False, True, True, True, True]
    async with database.begin() as session:
        assert await session.scalar(select(DeliveryRow.times_received)) == 5
        assert await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 1


async def test_signatures_and_secrets_are_not_kept(database: Database) -> None:
    await accept(database, incoming("one"))
    async with database.begin() as session:
        assert await session.scalar(select(DeliveryRow.headers)) == {"content-type": "application/json"}


async def test_a_transaction_that_began_first_is_enqueued_first_even_when_it_commits_last(database: Database) -> None:
    first_holds = asyncio.Event()
    release = asyncio.Event()

    async def first() -> None:
        async with database.begin() as session:
            await lock(session, "delivery:PL-479")
            first_holds.set()
            await release.wait()
            await enqueue_delivery(session, FIRST, ordering_key="PL-479")

    async def second() -> None:
        await first_holds.wait()
        await accept(database, incoming("second"))

    tasks = [asyncio.create_task(first()), asyncio.create_task(second())]
    await first_holds.wait()
    async with database.begin() as session:  # until the second really waits for the lock
        waiting = text(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
            "WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
        while not await session.scalar(waiting):
            pass  # each look is a round trip, which lets the other task go on
    release.set()
    await asyncio.gather(*tasks)
    async with database.begin() as session:
        queued = await session.scalars(
            text("SELECT (args->>'delivery_id')::bigint FROM procrastinate_jobs ORDER BY id")
        )
        stored = await session.scalar(select(DeliveryRow.id))
        assert list(queued) == [FIRST, stored]


async def test_a_delivery_that_is_rolled_back_leaves_nothing_in_the_queue(database: Database) -> None:
    async def fails_after_enqueueing() -> None:
        async with database.begin() as session:
            await enqueue_delivery(session, 1, ordering_key="PL-479")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails_after_enqueueing()
    async with database.begin() as session:
        assert await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0


async def test_an_unreachable_database_is_told_apart_from_a_bad_delivery() -> None:
    async with Database("postgresql+psycopg://nobody@127.0.0.1:1/none") as nowhere:
        with pytest.raises(DatabaseDownError):
            await accept(nowhere, incoming("one"))


async def test_a_delivery_that_the_database_refuses_harms_no_other(database: Database) -> None:
    poison = msgspec.structs.replace(incoming("bad"), headers={"x": "\x00"})
    answers = await asyncio.gather(
        *(accept(database, one) for one in (incoming("one"), poison, incoming("two"))), return_exceptions=True
    )
    assert [isinstance(answer, Accepted) for answer in answers] == [True, False, True]
    async with database.begin() as session:
        assert list(await session.scalars(select(DeliveryRow.key).order_by(DeliveryRow.id))) == ["one", "two"]


async def test_deliveries_that_arrive_together_share_a_transaction_and_keep_their_order(database: Database) -> None:
    await asyncio.gather(*(accept(database, incoming(f"{number:02}")) for number in range(40)))
    async with database.begin() as session:
        rows = (await session.execute(text("SELECT key, xmin::text FROM deliveries ORDER BY id"))).all()
        queued = text("SELECT (args->>'delivery_id')::bigint FROM procrastinate_jobs ORDER BY id")
        jobs = list(await session.scalars(queued))
    assert [row.key for row in rows] == [f"{number:02}" for number in range(40)]
    assert len({row.xmin for row in rows}) < 10
    assert jobs == sorted(jobs)


async def test_of_one_batch_what_was_here_before_and_what_stands_twice_is_told_apart_from_what_is_new(
    database: Database,
) -> None:
    (before,) = await accept_all(database, [incoming("b")])
    answers = await accept_all(database, [incoming(key) for key in ("c", "b", "a", "c", "b", "c")])
    assert [answer.repeated for answer in answers] == [False, True, False, True, True, True]
    c, a = answers[0].id, answers[2].id
    assert [answer.id for answer in answers] == [c, before.id, a, c, before.id, c]
    async with database.begin() as session:
        rows = await session.execute(select(DeliveryRow.key, DeliveryRow.times_received).order_by(DeliveryRow.id))
        queued = text("SELECT (args->>'delivery_id')::bigint FROM procrastinate_jobs ORDER BY id")
        assert [tuple(row) for row in rows] == [("b", 3), ("c", 3), ("a", 1)]
        assert list(await session.scalars(queued)) == [before.id, c, a]
    assert [answer.repeated for answer in await accept_all(database, [incoming("a"), incoming("b")])] == [True, True]


async def test_connections_that_died_with_a_restart_cost_no_hook(database: Database) -> None:
    await accept(database, incoming("before"))
    async with database.begin() as session:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        await session.execute(text(f"{others} AND pid <> pg_backend_pid()"))
    assert not (await accept(database, incoming("after"))).repeated
