"""Whoever knows the secret of one project's hook changes nothing of others, ends nothing and adds nothing."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from pipelines.language import IssueKey, Phase, ProjectPath, RunId
from pipelines.language.pipeline_key import fix
from pipelines.language.wire import Ticket
from receiver.hooks import GitlabSecrets, HookSecret, Interests, read, verify_gitlab
from receiver.hooks.gitlab import read as read_gitlab
from receiver.store.deliveries.inbox import Incoming, accept
from receiver.store.jobs import sessions
from receiver.store.postgres.database import Database
from receiver.store.schema import DecisionRow, DeliveryRow, EffectRow, JobRow, MergeRequestRow, PipelineRow, RunRow
from receiver.worker.delivery_task import process
from receiver.worker.event_handler import Setting, handle
from receiver.workflow.events.event import Event
from receiver.workflow.events.pipeline_events import PipelineId, PipelineStarted
from receiver.workflow.events.ticket_events import IssueLabelled, TicketAdmitted
from receiver.workflow.person import AccountId

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
SECRETS = GitlabSecrets(
    tokens=(HookSecret(value="theirs", scope="payk12/contacts"), HookSecret(value="ours", scope="payk12"))
)
AUTOMATION_ID, CONTACTS_ID = 1, 2
BRANCH = "bug-fix/PL-479"


@pytest.fixture
async def run(database: Database, setting: Setting, ticket: Ticket) -> RunId:
    """Return a run whose pipeline 100 is at work."""
    found: RunId | None = None
    events: tuple[Event, ...] = (
        IssueLabelled(issue_key=IssueKey("PL-479"), actor=AccountId("mara"), actor_name="Mara"),
        TicketAdmitted(ticket=ticket, base_shas={CONTACTS: "a" * 40}, catalogue_sha256="0" * 64),
        PipelineStarted(iteration=1, project_id=AUTOMATION_ID, pipeline=PipelineId(100), url="https://gitlab/100"),
    )
    for event in events:
        async with database.begin() as session:
            found = (await handle(session, event, setting=setting, run=found)).run
    assert found is not None
    return found


def pipeline(status: str) -> dict[str, Any]:
    attributes = {"id": 100, "status": status, "source": "api", "ref": "main", "sha": "0" * 40}
    project = {"id": AUTOMATION_ID, "path_with_namespace": "payk12/contacts"}
    return {"object_kind": "pipeline", "object_attributes": attributes, "project": project}


def child(status: str, *, pipeline: int) -> dict[str, Any]:
    attributes = {"id": pipeline, "status": status, "source": "parent_pipeline", "ref": "main", "sha": "0" * 40}
    project = {"id": AUTOMATION_ID, "path_with_namespace": "payk12/bug-fix"}
    above = {"pipeline_id": 100, "project": project}
    return {"object_kind": "pipeline", "object_attributes": attributes, "project": project, "source_pipeline": above}


def merge_request(action: str, *, project_id: int) -> dict[str, Any]:
    ids = {"iid": 5, "target_project_id": project_id, "source_project_id": project_id}
    attributes = {**ids, "state": "opened", "action": action, "source_branch": BRANCH, "last_commit": {"id": "f" * 40}}
    project = {"id": project_id, "path_with_namespace": "payk12/contacts"}
    return {"object_kind": "merge_request", "object_attributes": attributes, "project": project, "user": {"id": 42}}


def job(status: str) -> dict[str, Any]:
    names = {"build_id": 7, "build_name": "analysis", "build_stage": "analysis", "build_status": status}
    project = {"id": CONTACTS_ID, "path_with_namespace": "payk12/contacts"}
    return {"object_kind": "build", "project_id": AUTOMATION_ID, "pipeline_id": 100, **names, "project": project}


async def sent(database: Database, setting: Setting, body: dict[str, Any], *, token: str, now: datetime) -> DeliveryRow:
    """Take a hook in as the receiver does, handle it, and return what became of it."""
    raw = json.dumps(body).encode()
    delivery = verify_gitlab(raw, headers={"x-gitlab-token": token}, secrets=SECRETS, now=now)
    reading = read(delivery, interests=Interests.of(setting.catalogue))
    incoming = Incoming(
        source=delivery.source,
        key=reading.delivery_key,
        ordering_key=reading.ordering_key,
        kind=reading.kind,
        headers=delivery.headers,
        body=raw,
        received_at=now,
    )
    stored = await accept(database, incoming)
    await process(database, stored.id, setting=setting)
    async with database.begin() as session:
        row = await session.get(DeliveryRow, stored.id)
        assert row is not None
        return row


async def state(database: Database) -> list[Any]:
    async with database.begin() as session:
        runs = await session.execute(select(RunRow.status, RunRow.reason))
        pipelines = await session.execute(select(PipelineRow.id, PipelineRow.status))
        jobs = await session.execute(select(JobRow.id, JobRow.status))
        merge_requests = await session.execute(select(MergeRequestRow.project_id, MergeRequestRow.iid))
        decisions = await session.execute(select(DecisionRow.id).order_by(DecisionRow.id))
        return [*runs.all(), *pipelines.all(), *jobs.all(), *merge_requests.all(), *decisions.all()]


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("body", [pipeline("canceled"), pipeline("running"), job("running"), job("failed")])
async def test_a_repositorys_secret_says_nothing_of_the_automation_project(
    database: Database, setting: Setting, body: dict[str, Any]
) -> None:
    before = await state(database)
    delivery = await sent(database, setting, body, token="theirs", now=setting.clock())
    assert (delivery.verdict, delivery.run_id) == ("ignored", None)
    assert "speaks for payk12/contacts only" in (delivery.reason or "")
    assert await state(database) == before


async def test_an_end_that_the_right_secret_tells_is_asked_of_gitlab_before_it_counts(
    database: Database, setting: Setting, run: RunId
) -> None:
    delivery = await sent(database, setting, pipeline("canceled"), token="ours", now=setting.clock())
    assert (delivery.verdict, delivery.run_id) == ("noted", run)
    async with database.begin() as session:
        row, known = await session.get(RunRow, run), await session.get(PipelineRow, 100)
        asked = (await session.scalars(select(EffectRow.payload).where(EffectRow.kind == "Confirm"))).one()
    assert row is not None
    assert known is not None
    assert (row.status, known.status) == ("running", "created")
    assert (asked["told"]["type"], asked["told"]["status"]) == ("PipelineChanged", "canceled")


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (job("failed"), {"type": "SettleReports", "iteration": 1, "of_pipeline": [AUTOMATION_ID, 100]}),
        (job("canceling"), {"type": "SettleReports", "iteration": 1, "of_pipeline": [AUTOMATION_ID, 100]}),
        (child("created", pipeline=666), {"type": "Confirm"}),
        (merge_request("open", project_id=CONTACTS_ID), {"type": "Confirm"}),
        (merge_request("approved", project_id=9), {"type": "Confirm"}),
    ],
    ids=["a job's end", "a job's cancellation", "a child", "a merge request", "one of another project"],
)
async def test_what_the_right_secret_tells_of_a_jobs_end_and_of_what_is_not_known_is_a_hint(
    database: Database, setting: Setting, run: RunId, body: dict[str, Any], asked: dict[str, Any]
) -> None:
    async with database.begin() as session:
        row = await session.get_one(RunRow, run)
        row.branch, row.repositories = BRANCH, [CONTACTS]
    await sent(database, setting, job("running"), token="ours", now=setting.clock())
    before = await state(database)
    delivery = await sent(database, setting, body, token="ours", now=setting.clock())
    assert (delivery.verdict, delivery.run_id) == ("noted", run)
    assert "GitLab is asked whether it is so" in (delivery.reason or "")
    assert (await state(database))[:-1] == before, "and one decision more"
    async with database.begin() as session:
        wanted = (await session.scalars(select(EffectRow.payload).order_by(EffectRow.id.desc()).limit(1))).one()
    assert asked.items() <= wanted.items()


async def test_a_jobs_session_ends_with_gitlabs_word_and_not_with_a_hook(
    database: Database, setting: Setting, run: RunId
) -> None:
    token, now = "t" * 43, setting.clock()
    opened = sessions.NewSession(
        token=token,
        jti="1",
        run=run,
        pipeline=fix(1),
        phase=Phase.ANALYSIS,
        repository=None,
        project_id=AUTOMATION_ID,
        pipeline_id=100,
        job_id=7,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )

    async def is_alive() -> bool:
        async with database.begin() as session:
            return await sessions.find(session, token, now=now) is not None

    async with database.begin() as session:
        await sessions.open_once(session, opened)
    for status in ("running", "canceling", "failed"):
        await sent(database, setting, job(status), token="ours", now=now)
        assert await is_alive()
    answer = read_gitlab(json.dumps(job("failed")).encode(), interests=Interests.of(setting.catalogue)).event
    async with database.begin() as session:
        await handle(session, answer, setting=setting, run=run)
    assert not await is_alive()


@pytest.mark.usefixtures("run")
async def test_a_forged_hook_does_not_make_the_true_one_a_repetition(database: Database, setting: Setting) -> None:
    forged = await sent(database, setting, pipeline("running"), token="theirs", now=setting.clock())
    true = await sent(database, setting, pipeline("running"), token="ours", now=setting.clock())
    assert (forged.verdict, true.verdict) == ("ignored", "noted")
    async with database.begin() as session:
        known = await session.get(PipelineRow, 100)
    assert known is not None
    assert known.status == "running"
