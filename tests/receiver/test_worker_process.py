"""A real worker process against the emulators: killed anywhere, it loses nothing and doubles nothing."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.language import IssueKey, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from receiver.hooks.delivery import Delivery, Interests
from receiver.hooks.delivery_reader import read
from receiver.store.deliveries.inbox import Incoming, accept
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.worker.assembly import new_run
from receiver.worker.event_handler import Setting, handle
from receiver.workflow.effects import AnswerComment, OpenMergeRequest, UpdateTicketNote
from receiver.workflow.events.ticket_events import IssueLabelled, StartRequested
from receiver.workflow.person import AccountId
from receiver.workflow.run import RunStatus
from tests.changes import file_change
from tests.conftest import Standing
from tests.receiver.workers import Eyes, die_at_each, jobs_held, until, worker

pytestmark = [pytest.mark.acceptance, pytest.mark.anyio]

FIX = file_change("docs/fix.md", None, "Fixed.\n")


@pytest.fixture
def eyes(postgres: str, standing_connection: Standing) -> Eyes:
    return Eyes(postgres, standing_connection)


@pytest.fixture(autouse=True)
def held(world: Any) -> Iterator[None]:
    """Let no job begin, so that pipelines stay as they are."""
    with jobs_held(world):
        yield


async def ask(database: Database) -> None:
    request = StartRequested(issue_key=IssueKey("PL-479"), actor_name="an operator")
    delivery = Delivery.asked_by_operator(request, request_id=os.urandom(8).hex(), now=datetime.now(UTC))
    reading = read(delivery, interests=Interests(label="", jira_project=""))
    await accept(
        database,
        Incoming(
            source=delivery.source,
            key=reading.delivery_key,
            ordering_key=reading.ordering_key,
            kind=reading.kind,
            headers=delivery.headers,
            body=delivery.body,
            received_at=delivery.received_at,
        ),
    )


@pytest.mark.parametrize(
    "points",
    [
        (
            "AdmitTicket:after_commit",
            "StartPipeline:before_post",
            "StartPipeline:after_post",
            "StartPipeline:after_commit",
        ),
        ("TransitionIssue:before_post", "TransitionIssue:after_post"),
        ("UpdateTicketNote:before_post", "UpdateTicketNote:after_post", "UpdateTicketNote:after_commit"),
    ],
)
async def test_workers_that_die_around_each_request_leave_one_pipeline_and_one_comment(
    points: tuple[str, ...], database: Database, world: Any, eyes: Eyes, tmp_path: Path
) -> None:
    before = {comment["id"] for comment in world.comments()}
    await ask(database)
    await die_at_each(points, world, eyes, tmp_path)
    assert eyes("SELECT 1 FROM pipelines")
    assert eyes("SELECT verdict FROM deliveries") == [("acted",)]
    assert len(world.pipelines()) == 1
    assert len({comment["id"] for comment in world.comments()} - before) == 1


async def test_workers_that_die_around_each_write_leave_one_commit_one_merge_request_and_one_note(
    database: Database, world: Any, eyes: Eyes, run: RunId, submit: Any, tmp_path: Path
) -> None:
    await submit(run, FIX)
    now = datetime.now(UTC)
    async with database.begin() as session:
        row = await runs.hold(session, run)
        row.status = RunStatus.OPENING
        wanted = OpenMergeRequest(iteration=1, repository=ProjectPath("payk12/contacts"))
        await outbox.store(session, run, (wanted,), decision=None, origin="test", now=now)
        branch = row.branch
    points = (
        "OpenMergeRequest:before_push",
        "OpenMergeRequest:after_push",
        "OpenMergeRequest:before_post",
        "OpenMergeRequest:after_post",
        "OpenMergeRequest:after_commit",
        "UpdateMergeRequestNote:before_post",
        "UpdateMergeRequestNote:after_post",
        "UpdateMergeRequestNote:after_commit",
    )
    await die_at_each(points, world, eyes, tmp_path)
    assert eyes("SELECT status FROM runs") == [("in_review",)]
    assert len(world.contacts.commits.list(ref_name=f"main..{branch}", get_all=True)) == 1
    (request,) = world.contacts.mergerequests.list(source_branch=branch, state="all", get_all=True)
    assert len([note for note in request.notes.list(get_all=True) if not note.system]) == 1


async def test_workers_that_die_around_a_refusal_say_it_once(
    database: Database, world: Any, eyes: Eyes, catalogue: Catalogue, tmp_path: Path
) -> None:
    setting = Setting(catalogue=catalogue, clock=lambda: datetime.now(UTC), new_run=new_run, bot=None)
    before = {comment["id"] for comment in world.comments()}
    stranger = IssueLabelled(issue_key=IssueKey("PL-479"), actor=AccountId("stranger"), actor_name="A stranger")
    async with database.begin() as session:
        await handle(session, stranger, setting=setting)
    points = ("CommentRefusal:before_post", "CommentRefusal:after_post", "CommentRefusal:after_commit")
    await die_at_each(points, world, eyes, tmp_path)
    assert eyes("SELECT status FROM runs") == [("refused",)]
    (said,) = [comment["body"] for comment in world.comments() if comment["id"] not in before]
    assert "may not start bug fixes" in said
    assert world.pipelines() == []


async def test_workers_that_die_around_an_answer_to_a_comment_say_it_once_beside_the_status_comment(
    database: Database, world: Any, eyes: Eyes, run: RunId, tmp_path: Path
) -> None:
    before = {comment["id"] for comment in world.comments()}
    wanted = (UpdateTicketNote(), AnswerComment(comment="77", text="You may not approve plans."))
    async with database.begin() as session:
        await outbox.store(session, run, wanted, decision=None, origin="test", now=datetime.now(UTC))
    points = ("AnswerComment:before_post", "AnswerComment:after_post", "AnswerComment:after_commit")
    await die_at_each(points, world, eyes, tmp_path)
    said = [comment["body"] for comment in world.comments() if comment["id"] not in before]
    assert sorted("You may not approve plans." in body for body in said) == [False, True]


async def test_a_worker_finishes_what_is_under_way_when_it_is_told_to_stop(
    database: Database, postgres: str, world: Any, eyes: Eyes, tmp_path: Path
) -> None:
    with worker(world, postgres, tmp_path) as process:
        until(lambda: eyes("SELECT 1 FROM procrastinate_workers"))
        await ask(database)
        until(lambda: eyes("SELECT 1 FROM deliveries WHERE verdict IS NOT NULL"))
        process.terminate()
        process.join(60)
        assert process.exitcode == 0
    assert eyes("SELECT 1 FROM procrastinate_jobs WHERE status = 'doing'") == []


async def test_deliveries_of_one_ticket_are_handled_at_once_one_after_the_other(
    database: Database, postgres: str, world: Any, eyes: Eyes, tmp_path: Path
) -> None:
    # a label that was set long ago would be found when the worker starts, and its run be there before all of these
    world.jira("PUT", "/rest/api/2/issue/PL-479", {"update": {"labels": [{"set": []}]}})
    for _ in range(20):
        await ask(database)
    with worker(world, postgres, tmp_path):
        until(lambda: not eyes("SELECT 1 FROM deliveries WHERE verdict IS NULL"))
    [(median,)] = eyes(
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FROM "
        "(SELECT decided_at - lag(decided_at) OVER (ORDER BY id) AS gap FROM deliveries) AS gaps"
    )
    assert median < timedelta(seconds=1), "the next was found by a look, one a second, and not at once"
    assert eyes("SELECT verdict, count(*) FROM deliveries GROUP BY 1 ORDER BY 1") == [("acted", 1), ("ignored", 19)]
    assert eyes("SELECT bool_and(a.id < b.id) FROM deliveries a JOIN deliveries b ON a.decided_at < b.decided_at") == [
        (True,)
    ]


async def test_the_loss_of_all_database_connections_loses_nothing(
    database: Database, postgres: str, world: Any, eyes: Eyes, tmp_path: Path
) -> None:
    with worker(world, postgres, tmp_path) as process:
        until(lambda: eyes("SELECT 1 FROM procrastinate_workers"))
        for _ in range(5):
            await ask(database)
            eyes(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        until(lambda: not eyes("SELECT 1 FROM deliveries WHERE verdict IS NULL"))
        until(lambda: eyes("SELECT 1 FROM pipelines"))
        assert process.is_alive(), "it went on by itself"
    assert eyes("SELECT count(*) FROM deliveries") == [(5,)]
    assert len(world.pipelines()) == 1
