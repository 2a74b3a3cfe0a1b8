"""Cancelling and escalating: at once, whatever is queued, and until GitLab says that nothing runs any more."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from pipelines.language import Phase
from pipelines.language.pipeline_key import fix
from receiver import limits
from receiver.outbound.effects.performers import perform
from receiver.outbound.errors import UnavailableError
from receiver.store.jobs import sessions
from receiver.store.jobs.sessions import NewSession
from receiver.store.schema import PipelineRow, RunRow
from receiver.workflow.effects import ConfirmStopped, StartPipeline
from receiver.workflow.events.pipeline_events import PipelineStarted
from receiver.workflow.run import RunStatus
from tests.receiver.steering.conftest import Steered
from tests.receiver.workers import jobs_held

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


async def let(steered: Steered, status: RunStatus) -> None:
    async with steered.workshop.database.begin() as session:
        row = await session.get_one(RunRow, steered.run)
        row.status = status


async def at_work(steered: Steered) -> PipelineStarted:
    """Start the run's pipeline in the emulated GitLab."""
    await let(steered, RunStatus.STARTING)
    done = await perform(steered.workshop.desk, steered.run, StartPipeline(iteration=1))
    (event,) = done.events
    assert isinstance(event, PipelineStarted)
    await steered.tell(event, run=steered.run)
    return event


async def session_of_a_job(steered: Steered, started: PipelineStarted) -> str:
    """Open the session with which a job calls the model."""
    now = steered.workshop.setting.clock()
    new = NewSession(
        token="a job's token",
        jti="1",
        run=steered.run,
        pipeline=fix(1),
        phase=Phase.ANALYSIS,
        repository=None,
        project_id=started.project_id,
        pipeline_id=started.pipeline,
        job_id=77,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    async with steered.workshop.database.begin() as session:
        await sessions.open_once(session, new)
    return new.token


@pytest.mark.parametrize(("said", "status"), [("cancel", "cancelled"), ("escalate it needs DBAs", "escalated")])
async def test_a_run_that_is_stopped_has_no_pipeline_and_no_model_call_any_more(
    steered: Steered, world: Any, said: str, status: str
) -> None:
    with jobs_held(world):
        started = await at_work(steered)
        token = await session_of_a_job(steered, started)
        async with steered.workshop.database.direct() as connection:
            before = await sessions.admitted(connection, token, now=steered.workshop.setting.clock())
        assert before is not None
        assert before.job.current
        await steered.say("tomas", f"/bug-fix {said}")
        row = await steered.row()
        assert (row.status, row.finished_at is not None) == (status, True)
        async with steered.workshop.database.direct() as connection:
            after = await sessions.admitted(connection, token, now=steered.workshop.setting.clock())
        assert after is None or not after.job.current
        assert world.automation.pipelines.get(started.pipeline).status == "canceled"
        async with steered.workshop.database.begin() as session:
            known = await session.scalar(select(PipelineRow.status).where(PipelineRow.id == started.pipeline))
        assert known == "canceled"
        assert [one.state for one in await steered.effects("ConfirmStopped")] == ["done"]
    assert "Tomás Ferreira" in steered.answers()[-1]


async def test_jobs_that_run_on_after_a_cancellation_are_named(steered: Steered, world: Any) -> None:
    desk = steered.workshop.desk
    with jobs_held(world):
        started = await at_work(steered)
        wanted = ConfirmStopped(
            project_id=started.project_id, pipeline=started.pipeline, until=desk.clock() - timedelta(seconds=1)
        )
        done = await perform(desk, steered.run, wanted)
        assert "is not over after 5 minutes. Still there: " in done.remark
        assert "analysis" in done.remark
        still = ConfirmStopped(
            project_id=started.project_id, pipeline=started.pipeline, until=desk.clock() + timedelta(minutes=1)
        )
        with pytest.raises(UnavailableError):
            await perform(desk, steered.run, still)
        over = await perform(desk, steered.run, still)  # the attempt before cancelled it again
        assert [event.status for event in over.events] == ["canceled"]  # type: ignore[union-attr]  # a pipeline's


async def test_what_a_stopped_run_had_still_to_do_is_not_done(steered: Steered, world: Any) -> None:
    await let(steered, RunStatus.CANCELLED)
    await steered.say("tomas", "/bug-fix retry")
    assert (await steered.row()).status == "starting"
    await steered.say("tomas", "/bug-fix cancel")
    await steered.settle(but=())
    assert [one.state for one in await steered.effects("StartPipeline")] == ["superseded"]
    assert world.pipelines() == []


async def test_a_cancel_overtakes_a_delivery_that_is_being_decided_and_all_that_is_queued(steered: Steered) -> None:
    """The queue's lock of the merge request is held by a delivery that a worker is at, and more wait behind it."""
    ordinary, urgent = steered.note("mara", "/bug-fix status"), steered.note("mara", "/bug-fix cancel")
    kept = [await steered.store(note) for note in (ordinary, ordinary, urgent)]
    fetch = "SELECT id, lock, queue_name FROM procrastinate_fetch_job_v2(CAST(:queues AS varchar[]), NULL)"
    async with steered.workshop.database.begin() as session:
        first = (await session.execute(text(fetch), {"queues": ["deliveries"]})).one()
        none = (await session.execute(text(fetch), {"queues": ["deliveries"]})).one()
        ahead = (await session.execute(text(fetch), {"queues": ["urgent"]})).one()
    assert first.lock == f"delivery:merge_request:{steered.project_id}:{steered.iid}"
    assert none.id is None
    assert ahead.lock == f"delivery:now:merge_request:{steered.project_id}:{steered.iid}"
    await steered.process(kept[2])
    async with steered.workshop.database.begin() as session:
        (read,) = [one for one in await steered.effects("ReadNote") if one.state == "pending"]
        queued = "SELECT queue_name, lock FROM procrastinate_jobs WHERE (args->>'effect_id')::bigint = :effect"
        assert tuple((await session.execute(text(queued), {"effect": read.id})).one()) == ("urgent", None)
    await steered.settle()
    assert (await steered.row()).status == "cancelled"


async def test_a_note_told_five_times_at_once_cancels_once(steered: Steered) -> None:
    note = steered.note("tomas", "/bug-fix cancel")
    await asyncio.gather(*(steered.hear(note) for _ in range(5)))
    await steered.settle()
    assert (await steered.row()).status == "cancelled"
    assert len(steered.answers()) == 1
    assert len(await steered.commands()) == 1


def test_a_pipeline_has_to_be_over_well_before_an_effect_is_given_up() -> None:
    assert limits.STOPPED_WITHIN < limits.EFFECT_GIVE_UP
