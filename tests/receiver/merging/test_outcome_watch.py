"""What became of a merged fix, over real HTTP: taken back, ticket opened again, thumbs; each is kept once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from receiver.outbound.effects.outcome_watch import reverting
from receiver.outbound.effects.performers import perform
from receiver.outbound.gitlab.commits_api import Landed
from receiver.store.effects import note_locations
from receiver.store.run import fix_outcomes, runs
from receiver.store.schema import FeedbackRow, MergeRequestRow, OutcomeRow
from receiver.workflow.effects import WatchOutcome
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.outcome_events import OutcomeSeen
from tests.receiver.merging.conftest import CONTACTS

MERGE, HEAD = "a1" * 20, "b2" * 20
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "is_ours"),
    [
        ('Revert "Fix it"\n\nThis reverts merge request !7', True),
        ('Revert "Fix it"\n\nThis reverts merge request payk12/Contacts!7.', True),
        (f'Revert "Fix it"\n\nThis reverts commit {MERGE}.', True),
        (f'Revert "Fix it"\n\nThis reverts commit {HEAD[:12]}, in part.', True),
        (f"Revert\n\n(This reverts commit {HEAD})", True),
        ("This reverts merge request !71", False),
        ("This reverts merge request payk12/api!7", False),
        (f"This reverts commit {'c3' * 20}.", False),
        ("This reverts commit a1a1.", False),  # too short to be one
        ("See !7. It says: This reverts merge request !7", False),
        ("Fix it, see !7", False),
    ],
)
def test_a_commit_takes_a_fix_back_when_it_says_so_as_git_and_gitlab_do(message: str, is_ours: bool) -> None:  # noqa: FBT001
    row = MergeRequestRow(iid=7, merge_commit_sha=MERGE, head_sha=HEAD, seen_head_sha=HEAD)
    landed = [Landed(sha="d" * 40, message="Something else", at=NOW), Landed(sha="e" * 40, message=message, at=NOW)]
    found = reverting(landed, row, path=CONTACTS)
    assert (found is not None and found.sha == "e" * 40) == is_ours


def test_the_first_of_several_counts() -> None:
    row = MergeRequestRow(iid=7, merge_commit_sha=MERGE, head_sha=HEAD, seen_head_sha=HEAD)
    said = "This reverts merge request !7"
    landed = [Landed(sha=str(days), message=said, at=NOW + timedelta(days=days)) for days in (3, 1, 2)]
    found = reverting(landed, row, path=CONTACTS)
    assert found is not None
    assert found.sha == "1"


async def _seen(waiting: Any) -> OutcomeSeen:
    done = await perform(waiting.desk, waiting.run, WatchOutcome(repository=CONTACTS))
    (event,) = done.events
    assert isinstance(event, OutcomeSeen)
    await waiting.note(event)
    return event


async def _merged(waiting: Any) -> None:
    """Merge as a person does, and hear of it."""
    waiting.green()
    waiting.seen_by_mara.merge()
    there = waiting.there
    await waiting.note(
        MergeRequestChanged(
            project_id=there.project_id,
            project=CONTACTS,
            iid=there.iid,
            action="merge",
            state="merged",
            source_branch=there.source_branch,
            head_sha=there.sha,
            actor_id=None,
            actor="mara",
            at=datetime.now(UTC),
            merge_commit_sha=there.merge_commit_sha,
        )
    )


def act(waiting: Any, name: str, **given: object) -> Any:
    url = f"{waiting.world.gitlab_url}/_sandbox/people/mara/{name}"
    answer = httpx2.post(url, json={"project": CONTACTS, **given}, timeout=60)
    return answer.raise_for_status().json()


@pytest.mark.integration
@pytest.mark.anyio
@pytest.mark.parametrize("by", ["commit", "merge_request"])
async def test_a_fix_that_is_taken_back_is_found_on_the_target_branch_and_kept_once(waiting: Any, by: str) -> None:
    await _merged(waiting)
    assert (await _seen(waiting)).reverted_at is None
    revert = act(waiting, "revert", iid=waiting.there.iid, by=by)
    if by == "merge_request":
        assert (await _seen(waiting)).reverted_at is None, "it is offered only"
        act(waiting, "merge", iid=revert["iid"])
    first = await _seen(waiting)
    assert first.reverted_by
    async with waiting.desk.database.begin() as session:
        row = await session.get_one(OutcomeRow, (waiting.run, CONTACTS))
        assert row.reverted_at == first.reverted_at
        again = await fix_outcomes.seen(session, first, await runs.find(session, waiting.run), now=NOW)
    assert again is False


@pytest.mark.integration
@pytest.mark.anyio
async def test_a_ticket_that_is_opened_again_after_the_merge_is_found(waiting: Any) -> None:
    world = waiting.world
    await _merged(waiting)
    for status in ("In Progress", "In Review", "Done"):
        _move(world, status)
    assert (await _seen(waiting)).reopened_at is None
    _move(world, "To Do", "In Progress")
    seen = await _seen(waiting)
    assert seen.reopened_at is not None
    assert seen.reverted_at is None


@pytest.mark.integration
@pytest.mark.anyio
async def test_a_ticket_that_is_not_to_be_seen_hides_nothing_in_gitlab(waiting: Any) -> None:
    await _merged(waiting)
    act(waiting, "revert", iid=waiting.there.iid, by="commit")
    fault = {"requests": [{"path": "/rest/api/2/issue/PL-479", "status": 404, "times": 1}]}
    httpx2.post(f"{waiting.world.jira_url}/_sandbox/faults", json=fault, timeout=60).raise_for_status()
    done = await perform(waiting.desk, waiting.run, WatchOutcome(repository=CONTACTS))
    (seen,) = done.events
    assert (seen.reverted_at is not None, seen.reopened_at) == (True, None)
    assert "404" in done.result["unread"]


def _move(world: Any, *statuses: str) -> None:
    """Move the ticket to the first of these statuses that Jira offers; where it is there already, nothing happens."""
    address = "/rest/api/2/issue/PL-479/transitions"
    offered = {one["to"]["name"]: one["id"] for one in world.jira("GET", address)["transitions"]}
    found = next((offered[name] for name in statuses if name in offered), None)
    if found is not None:
        world.jira("POST", address, {"transition": {"id": found}})


@pytest.mark.integration
@pytest.mark.anyio
async def test_thumbs_on_our_note_are_kept_while_they_stand_and_our_own_reaction_is_none(waiting: Any) -> None:
    await _merged(waiting)
    notes = waiting.desk.repositories.notes
    there = waiting.there
    note = notes.add(there.project_id, there.iid, "Bug fix: merged")
    async with waiting.desk.database.begin() as session:
        await note_locations.keep(session, waiting.run, CONTACTS, note_id=str(note), sha256="0" * 64, now=NOW)
    notes.react(there.project_id, there.iid, note, "thumbsup")
    assert await _votes(waiting) == {}
    act(waiting, "react", iid=there.iid, note=note, emoji="thumbsdown")
    act(waiting, "react", iid=there.iid, note=note, emoji="eyes")
    assert await _votes(waiting) == {"mara": "down"}
    act(waiting, "react", iid=there.iid, note=note, emoji="thumbsup")
    assert await _votes(waiting) == {}, "both say nothing"
    act(waiting, "unreact", iid=there.iid, note=note, emoji="thumbsdown")
    assert await _votes(waiting) == {"mara": "up"}


async def _votes(waiting: Any) -> dict[str, str]:
    await _seen(waiting)
    async with waiting.desk.database.begin() as session:
        rows = await session.scalars(select(FeedbackRow).where(FeedbackRow.run_id == waiting.run))
        return {row.actor: row.verdict for row in rows}


@pytest.mark.integration
@pytest.mark.anyio
async def test_a_merged_fix_is_looked_at_once_a_day_for_14_days(waiting: Any) -> None:
    await _merged(waiting)
    async with waiting.desk.database.begin() as session:
        (row,) = await session.scalars(select(MergeRequestRow).where(MergeRequestRow.run_id == waiting.run))
        row.merged_at = NOW
        await session.flush()
        day, until = timedelta(days=1), timedelta(days=14)
        due = [
            bool(await fix_outcomes.unwatched(session, now=NOW + timedelta(days=days), every=day, until=until))
            for days in (0.9, 1, 13, 14.5, 15.1)
        ]
        await session.rollback()
    assert due == [False, True, True, True, False]
