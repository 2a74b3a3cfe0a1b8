"""Bytes are kept once and belong to the runs that handed them in; retention takes them from each run by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.language import Phase, RunId
from pipelines.language.wire import sha256
from receiver.store.jobs import blobs
from receiver.store.postgres import retention
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.run import runs
from receiver.store.schema import BlobRow, TranscriptRow
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ONE, TWO = RunId("0000000000000001"), RunId("0000000000000002")
BYTES = b"the same change, made twice"
DIGEST = sha256(BYTES)


@pytest.fixture
async def two(database: Database) -> Database:
    async with database.begin() as session:
        for run in (ONE, TWO):
            await runs.create(
                session, run, issue_key=f"PL-{run[-1]}", status=RunStatus.RUNNING, actor=None, name="Mara", now=NOW
            )
    return database


async def hand_in(database: Database, run: RunId, *, days: int) -> bool:
    async with database.begin() as session:
        digest, is_new = await blobs.keep(session, BYTES, run=run, now=NOW, retention_days=days)
    assert digest == DIGEST
    return is_new


async def readers(database: Database) -> list[RunId]:
    """Return the runs that read the bytes, and to which they count as kept."""
    async with database.begin() as session:
        found = [run for run in (ONE, TWO) if await blobs.read(session, DIGEST, run=run) == BYTES]
        assert found == [run for run in (ONE, TWO) if await blobs.are_kept(session, {DIGEST}, run=run)]
    return found


async def purge(database: Database, *, day: int, transcripts: int = 1000) -> None:
    kept = Retention(deliveries=timedelta(days=1000), transcripts=timedelta(days=transcripts))
    async with database.begin() as session:
        await retention.expired(session, retention=kept, now=NOW + timedelta(days=day))


async def is_stored(database: Database) -> bool:
    async with database.begin() as session:
        return (await session.get_one(BlobRow, DIGEST)).content is not None


async def test_only_runs_that_handed_bytes_in_read_them(two: Database) -> None:
    assert await hand_in(two, ONE, days=9)
    assert await readers(two) == [ONE]
    assert await hand_in(two, TWO, days=9), "new to this run, so that nobody learns what others have"
    assert not await hand_in(two, TWO, days=9)
    assert await readers(two) == [ONE, TWO]
    async with two.begin() as session:
        assert [await blobs.total(session, run) for run in (ONE, TWO)] == [len(BYTES)] * 2


@pytest.mark.parametrize(
    ("days", "day", "left"),
    [
        ((5, 9), 4, [ONE, TWO]),
        ((5, 9), 6, [TWO]),
        ((9, 5), 6, [ONE]),
        ((5, 9), 10, []),
    ],
    ids=["nothing is over", "the first is over", "the second is over", "both are over"],
)
async def test_bytes_survive_the_purge_of_one_of_their_runs(
    two: Database, days: Sequence[int], day: int, left: list[RunId]
) -> None:
    for run, kept in zip((ONE, TWO), days, strict=True):
        await hand_in(two, run, days=kept)
    await purge(two, day=day)
    assert await readers(two) == left
    assert await is_stored(two) is bool(left)
    async with two.begin() as session:
        assert [await blobs.is_owned(session, DIGEST, run=run) for run in (ONE, TWO)] == [True, True]
        assert [await blobs.total(session, run) for run in (ONE, TWO)] == [len(BYTES)] * 2


async def test_a_transcript_that_is_over_is_taken_from_its_own_run_only(two: Database) -> None:
    for run in (ONE, TWO):
        await hand_in(two, run, days=90)
    async with two.begin() as session:
        transcript = TranscriptRow(
            run_id=ONE, iteration=1, phase=Phase.ANALYSIS, job_id=1, sha256=DIGEST, created_at=NOW
        )
        session.add(transcript)
    await purge(two, day=31, transcripts=30)
    assert await readers(two) == [TWO]


async def test_what_was_purged_comes_back_for_the_run_that_hands_it_in_again(two: Database) -> None:
    for run in (ONE, TWO):
        await hand_in(two, run, days=5)
    await purge(two, day=6)
    assert not await hand_in(two, TWO, days=9)
    assert await readers(two) == [TWO]
