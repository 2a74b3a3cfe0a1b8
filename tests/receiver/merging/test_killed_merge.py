"""Real workers that are killed around a merge: it is merged once, noted, and the ticket is done."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from receiver.store.effects import outbox
from receiver.workflow.effects import MergeWhenReady
from tests.conftest import Standing
from tests.receiver.merging.conftest import CONTACTS
from tests.receiver.workers import Eyes, die_at_each

pytestmark = [pytest.mark.acceptance, pytest.mark.anyio]


def move(world: Any, name: str) -> None:
    """Move the ticket as a person does."""
    path = "/rest/api/2/issue/PL-479/transitions"
    found = next(one for one in world.jira("GET", path)["transitions"] if one["to"]["name"] == name)
    world.jira("POST", path, {"transition": {"id": found["id"]}})


async def test_workers_that_die_around_a_merge_merge_once_and_tell_it(
    waiting: Any, world: Any, postgres: str, standing_connection: Standing, tmp_path: Path
) -> None:
    for name in ("In Progress", "In Review"):  # as the run's earlier steps did
        move(world, name)
    eyes = Eyes(postgres, standing_connection)
    waiting.green()
    waiting.approve()
    async with waiting.desk.database.begin() as session:
        wanted = (MergeWhenReady(iteration=1, repository=CONTACTS),)
        await outbox.store(session, waiting.run, wanted, decision=None, origin="test", now=datetime.now(UTC))
    points = ("MergeWhenReady:before_merge", "MergeWhenReady:after_merge", "MergeWhenReady:after_commit")
    await die_at_each(points, world, eyes, tmp_path)
    assert (waiting.there.state, waiting.merges) == ("merged", 1)
    row = await waiting.row()
    assert (row.state, row.merge_answer, row.merge_approved_by) == ("merged", "merged", ["mara"])
    assert eyes("SELECT status FROM runs") == [("merged",)]
    assert eyes("SELECT count(*) FROM decisions WHERE status_after = 'merged' AND status_before <> 'merged'") == [(1,)]
    assert world.status() == "Done"
