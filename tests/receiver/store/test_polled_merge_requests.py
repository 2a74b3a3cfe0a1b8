"""What is known of merge requests is read by ids of any size that GitLab gives."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from pipelines.language import RunId
from receiver import limits
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.store.run import polled_merge_requests, runs
from receiver.store.schema import DecisionRow, EffectRow
from receiver.workflow.effects import PollMergeRequest
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

RUN = RunId("00000000000000aa")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LARGE = 2_300_000_000
"""More than 32 bits hold, as GitLab.com's ids of notes are."""


@pytest.fixture(autouse=True)
async def run(database: Database) -> None:
    async with database.begin() as session:
        await runs.create(session, RUN, issue_key="PL-479", status=RunStatus.STARTING, actor=None, name="Mara", now=NOW)


async def test_notes_with_large_ids_are_known(database: Database) -> None:
    async with database.begin() as session:
        told = DecisionRow(
            run_id=RUN, event_kind="NotePosted", event={"note": LARGE}, verdict="noted", reason="", at=NOW
        )
        session.add(told)
        await session.flush()
        assert await polled_merge_requests.heard_notes(session, RUN) == {LARGE}


async def test_what_was_read_of_a_merge_request_with_large_ids_is_known(database: Database) -> None:
    first = PollMergeRequest(project_id=LARGE, iid=LARGE, updated_at=NOW + timedelta(hours=1))
    async with database.begin() as session:
        (stored,) = await outbox.store(session, RUN, (first,), decision=None, origin="sweep", now=NOW)
        (await session.get_one(EffectRow, stored)).state = "done"
        await session.flush()
        second = replace(first, updated_at=NOW + timedelta(hours=2))
        read = await polled_merge_requests.read_before(session, RUN, second)
    assert read == first.updated_at - limits.HOOK_ON_ITS_WAY
