"""Effects as a worker performs them, against the emulators, on a clock that the test moves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import gitlab
import httpx2
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from pipelines.language import IssueKey, ProjectPath, RunId
from receiver.outbound.effects.desk import Desk
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.run import runs
from receiver.store.schema import DecisionRow, EffectRow, MergeRequestRow, RunRow
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting, handle
from receiver.worker.sweep import sweep
from receiver.workflow.effects import Effect, OpenMergeRequest, StartPipeline, TransitionIssue, UpdateTicketNote
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.ticket_events import StartRequested
from receiver.workflow.run import RunStatus
from tests.changes import file_change

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")


@pytest.fixture
def clock() -> Any:
    class Clock:
        now = datetime.now(UTC)

        def __call__(self) -> datetime:
            return self.now

    return Clock()


@pytest.fixture
def workshop(database: Database, desk: Desk, clock: Any, setting: Setting) -> Workshop:
    days = timedelta(days=30)
    return Workshop(
        database=database,
        desk=replace(desk, clock=clock),
        setting=replace(setting, clock=clock),
        retention=Retention(deliveries=days, transcripts=days),
    )


async def wanted(workshop: Workshop, run: RunId, effect: Effect) -> int:
    async with workshop.database.begin() as session:
        now = workshop.setting.clock()
        (stored,) = await outbox.store(session, run, (effect,), decision=None, origin="test", now=now)
    return stored


async def row_of(workshop: Workshop, effect: int) -> EffectRow:
    async with workshop.database.begin() as session:
        row = await session.get(EffectRow, effect)
    assert row is not None
    return row


async def status_of(workshop: Workshop, run: RunId) -> str:
    async with workshop.database.begin() as session:
        row = await session.get(RunRow, run)
    assert row is not None
    return row.status


def fault(url: str, **switch: object) -> None:
    httpx2.post(f"{url}/_sandbox/faults", json={"requests": [switch]}, timeout=60).raise_for_status()


async def test_what_came_of_an_effect_is_decided_with_it(workshop: Workshop, run: RunId) -> None:
    effect = await wanted(workshop, run, StartPipeline(iteration=1))
    await work_on(workshop, effect)
    assert (await row_of(workshop, effect)).state == "done"
    assert await status_of(workshop, run) == "running"
    async with workshop.database.begin() as session:
        decided = (await session.scalars(select(DecisionRow))).one()
    assert (decided.event_kind, decided.effect_id) == ("PipelineStarted", effect)


async def test_a_gitlab_that_is_away_is_tried_again_and_the_pipeline_is_made_once(
    workshop: Workshop, run: RunId, world: Any
) -> None:
    effect = await wanted(workshop, run, StartPipeline(iteration=1))
    fault(world.gitlab_url, method="POST", path="/api/v4/projects/*/pipeline", when="after", status=None)
    await work_on(workshop, effect)
    failed = await row_of(workshop, effect)
    assert (failed.state, failed.attempts) == ("pending", 1)
    assert failed.last_error
    assert failed.due_at > workshop.setting.clock()
    await work_on(workshop, effect)
    assert (await row_of(workshop, effect)).state == "done"
    assert len(world.pipelines()) == 1


async def test_a_rate_limit_is_obeyed(workshop: Workshop, run: RunId, world: Any) -> None:
    effect = await wanted(workshop, run, StartPipeline(iteration=1))
    fault(world.gitlab_url, path="/api/v4/projects/*", status=429, retry_after=77)
    await work_on(workshop, effect)
    row = await row_of(workshop, effect)
    assert row.due_at - workshop.setting.clock() == timedelta(seconds=77)


async def test_patience_ends_and_the_run_says_why(workshop: Workshop, run: RunId, world: Any, clock: Any) -> None:
    effect = await wanted(workshop, run, StartPipeline(iteration=1))
    for _ in range(2):
        fault(world.gitlab_url, method="POST", path="/api/v4/projects/*/pipeline", status=500)
        await work_on(workshop, effect)
        clock.now += timedelta(minutes=16)
    row = await row_of(workshop, effect)
    assert (row.state, row.attempts) == ("given_up", 2)
    assert await status_of(workshop, run) == "escalated"


async def test_a_no_is_not_asked_again(workshop: Workshop, run: RunId, world: Any) -> None:
    effect = await wanted(workshop, run, StartPipeline(iteration=1))
    fault(world.gitlab_url, method="POST", path="/api/v4/projects/*/pipeline", status=403)
    await work_on(workshop, effect)
    assert (await row_of(workshop, effect)).state == "given_up"
    assert await status_of(workshop, run) == "escalated"


async def test_a_transition_that_can_not_be_made_is_told_in_the_comment_and_stops_nothing(
    workshop: Workshop, run: RunId, world: Any
) -> None:
    effect = await wanted(workshop, run, TransitionIssue(to_status="Deployed on Mars"))
    await work_on(workshop, effect)
    assert (await row_of(workshop, effect)).state == "done"
    async with workshop.database.begin() as session:
        note = (await session.scalars(select(EffectRow.id).where(EffectRow.kind == "UpdateTicketNote"))).one()
    await work_on(workshop, note)
    result = (await row_of(workshop, note)).result
    assert result is not None
    (comment,) = [one for one in world.comments() if one["id"] == result["comment"]]
    assert "Deployed on Mars" in comment["body"]
    assert await status_of(workshop, run) == "starting"


async def pending(workshop: Workshop, kind: str) -> list[int]:
    query = select(EffectRow.id).where(EffectRow.kind == kind, EffectRow.state == "pending").order_by(EffectRow.id)
    async with workshop.database.begin() as session:
        return list(await session.scalars(query))


async def test_an_approval_starts_the_pipeline_that_waited_for_it(
    workshop: Workshop, run: RunId, submit: Any, world: Any
) -> None:
    async with workshop.database.begin() as session:
        row = await runs.hold(session, run)
        assert row.catalogue is not None
        policy = row.catalogue["policy"] | {"target_pipeline": "skip_until_approved"}
        row.catalogue, row.status = {**row.catalogue, "policy": policy}, RunStatus.OPENING
    await submit(run, file_change("x", None, "x\n"))
    opening = await wanted(workshop, run, OpenMergeRequest(iteration=1, repository=CONTACTS))
    await work_on(workshop, opening)
    assert await status_of(workshop, run) == "in_review"
    result = (await row_of(workshop, opening)).result
    assert result is not None
    person = gitlab.Gitlab(world.gitlab_url, private_token=world.facts["gitlab"]["person_token"])
    person.auth()
    person.projects.get(CONTACTS).mergerequests.get(result["iid"]).approve()
    assert person.user is not None
    approved = MergeRequestChanged(
        project_id=person.projects.get(CONTACTS).id,
        project=CONTACTS,
        iid=result["iid"],
        action="approved",
        state="opened",
        source_branch=f"bug-fix/PL-479-{run}",
        head_sha=result["head"],
        actor_id=person.user.id,
        actor="mara",
        at=None,
    )
    person.session.close()
    for _ in range(2):  # GitLab may tell twice
        async with workshop.database.begin() as session:
            await handle(session, approved, setting=workshop.setting)
    (effect,) = await pending(workshop, "StartTargetPipeline")
    await work_on(workshop, effect)
    done = (await row_of(workshop, effect)).result
    assert done is not None
    assert done["started"] is True
    async with workshop.database.begin() as session:
        (request,) = await session.scalars(select(MergeRequestRow))
    assert request.head_sha == done["head"] == world.contacts.mergerequests.get(result["iid"]).sha != result["head"]
    assert "[skip ci]" not in world.contacts.commits.get(done["head"]).message
    assert await pending(workshop, "UpdateMergeRequestNote")
    assert await status_of(workshop, run) == "in_review"


async def test_an_effect_that_another_worker_performs_is_left_to_it(workshop: Workshop, run: RunId) -> None:
    effect = await wanted(workshop, run, UpdateTicketNote())
    async with workshop.database.exclusive(f"effect:{effect}") as is_ours:
        assert is_ours
        await work_on(workshop, effect)
    row = await row_of(workshop, effect)
    assert (row.state, row.attempts) == ("pending", 0)


async def test_the_sweep_ends_a_run_that_is_overdue(workshop: Workshop, clock: Any) -> None:
    asked = StartRequested(issue_key=IssueKey("PL-480"), actor_name="an operator")
    async with workshop.database.begin() as session:
        run = (await handle(session, asked, setting=workshop.setting)).run
    assert run is not None
    await sweep(workshop)
    assert await status_of(workshop, run) == "admitting"
    clock.now += timedelta(hours=1)
    await sweep(workshop)
    assert await status_of(workshop, run) == "escalated"


async def test_a_clean_up_that_fails_keeps_the_sweep_from_nothing_else(workshop: Workshop, clock: Any) -> None:
    asked = StartRequested(issue_key=IssueKey("PL-480"), actor_name="an operator")
    async with workshop.database.begin() as session:
        run = (await handle(session, asked, setting=workshop.setting)).run
    assert run is not None
    clock.now += timedelta(hours=1)
    for_ever = Retention(deliveries=timedelta.max, transcripts=timedelta.max)  # no time was that long ago
    await sweep(replace(workshop, retention=for_ever))
    assert await status_of(workshop, run) == "escalated"
