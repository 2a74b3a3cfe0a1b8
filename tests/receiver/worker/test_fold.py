"""The fold on the real store: any order and repetition of events ends in the same knowledge of a run."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import chain, count, permutations
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from pipelines.language import Phase, PlanOutcome, ReportOutcome
from receiver.store.postgres.database import Database
from receiver.store.run import polled_merge_requests
from receiver.store.schema import InterventionRow, JobRow, MergeRequestEventRow, MergeRequestRow, PipelineRow, RunRow
from receiver.worker.event_handler import Setting
from receiver.workflow import lifecycle
from receiver.workflow.events.event import Event
from receiver.workflow.events.pipeline_events import JobChanged, JobId, PipelineChanged, PipelineId
from receiver.workflow.events.run_events import DeadlinePassed
from receiver.workflow.run import RunStatus, Verdict
from tests.known_run import knowing
from tests.receiver.workflow.conftest import World
from tests.told_run import RUN, ToldRun, opening, running

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def told(database: Database, world: World) -> AsyncIterator[ToldRun]:
    ids = chain([RUN], (f"{n:016x}" for n in count()))
    setting = Setting(catalogue=world.catalogue, clock=lambda: world.now, new_run=lambda: next(ids), bot=7)  # type: ignore[arg-type, return-value]  # ids are strings
    async with database.begin() as session:
        yield ToldRun(session, setting)
        await session.rollback()


async def test_all_orders_of_a_pipelines_events_end_in_one_state(told: ToldRun, world: World) -> None:
    await told.tell(*running(world))
    events = [world.pipeline(status) for status in ("created", "running", "failed", "success")]
    ends = [end async for end in told.every_order(events)]
    assert len(ends) == 24
    assert all(end == ends[0] for end in ends)
    assert ends[0].parent is not None
    assert ends[0].parent.status == "success"


@pytest.mark.parametrize("end", ["failed", "success"])
async def test_all_orders_of_parent_child_and_job_with_one_end_conclude_alike(
    told: ToldRun, world: World, end: str
) -> None:
    await told.tell(*running(world))
    child: dict[str, Any] = {"pipeline": world.child, "parent": world.parent}
    events = [
        world.pipeline("running"),
        world.pipeline("success", **child),
        world.job("testing: payk12/contacts", "failed"),
        world.pipeline(end),
    ]
    ends = [end async for end in told.every_order(events, last=[world.settled()])]
    assert all(run == ends[0] for run in ends)
    assert ends[0].status is RunStatus.ESCALATED


async def test_all_orders_of_the_reports_open_the_merge_request_once(told: ToldRun, world: World) -> None:
    await told.tell(*running(world), replace(world.planned(), job=JobId(10)))
    async for run in told.every_order(opening(world)[1:]):
        assert run.status is RunStatus.OPENING
        assert (await told.effects()).count("OpenMergeRequest") == 1


async def test_a_job_that_gitlab_retried_is_known_by_its_newest(told: ToldRun, world: World) -> None:
    await told.tell(*running(world))
    events = [
        world.job("analysis", "failed", job=7, pipeline=world.parent),
        world.job("analysis", "running", job=7, pipeline=world.parent),
        world.job("analysis", "success", job=8, pipeline=world.parent),
    ]
    for order in permutations(events):
        async with told.taken_back():
            await told.tell(*order)
            assert [(j.job, j.status) for j in (await told.view()).jobs] == [(8, "success")]


async def test_a_second_parent_pipeline_is_not_the_iterations_and_is_cancelled(told: ToldRun, world: World) -> None:
    await told.tell(*running(world))
    before = await told.view()
    (decision,) = await told.tell(world.started(pipeline=99))
    assert [type(effect).__name__ for effect in decision.effects] == ["CancelPipeline"]
    assert await told.view() == before
    (ignored,) = await told.tell(world.pipeline("running", pipeline=99))
    assert ignored.verdict is Verdict.IGNORED
    assert await told.session.scalar(select(func.count()).select_from(PipelineRow)) == 2


async def test_a_late_job_hook_does_not_say_again_whether_the_job_may_fail(told: ToldRun, world: World) -> None:
    await told.tell(*running(world))
    ended = world.job("reproduction: payk12/contacts", "failed", allow_failure=True, failure_reason="script_failure")
    late = world.job("reproduction: payk12/contacts", "running", failure_reason="unknown_failure")
    for order in permutations([ended, late]):
        async with told.taken_back():
            await told.tell(*order)
            (job,) = (await told.view()).jobs
            assert (job.status, job.allow_failure, job.failure_reason) == ("failed", True, "script_failure")


async def test_a_question_after_a_plan_leaves_no_repository_in_scope(told: ToldRun, world: World) -> None:
    await told.tell(*running(world), replace(world.planned(), job=JobId(10)))
    assert (await told.view()).repositories == (world.repository,)
    await told.tell(replace(world.planned(PlanOutcome.NEEDS_INFORMATION), job=JobId(11)))
    assert (await told.view()).repositories == ()
    await told.tell(world.pipeline("success"), world.settled())
    assert (await told.view()).status is RunStatus.NEEDS_INFORMATION


async def test_a_merge_request_whose_hook_comes_before_our_own_answer_is_the_runs_but_not_confirmed(
    told: ToldRun, world: World
) -> None:
    await told.tell(*running(world), *opening(world))
    branch = (await told.view()).branch
    hook = replace(world.merge_request("open", "opened"), source_branch=branch, source_project_id=2)
    ends = []
    for order in permutations([hook, world.opened()]):
        async with told.taken_back():
            for event in order:
                await told.tell(event)
                run = await told.view()
                answered = event is not hook or order[0] is not hook
                assert [m.confirmed for m in run.merge_requests] == ([answered] if run.merge_requests else [])
                assert run.status is (RunStatus.IN_REVIEW if answered else RunStatus.OPENING)
            ends.append(await told.view())
    assert ends[0] == ends[1]


async def test_a_merge_request_that_was_merged_before_our_own_answer_stays_merged(told: ToldRun, world: World) -> None:
    await told.tell(*running(world), *opening(world))
    hook = replace(world.merge_request("merge", "merged"), source_branch=(await told.view()).branch)
    hook = replace(hook, source_project_id=2)
    await told.tell(hook, world.opened())
    assert [m.state for m in (await told.view()).merge_requests] == ["merged"]
    await told.tell(hook)  # what polling tells, now that the run is in review
    assert (await told.view()).status is RunStatus.MERGED


async def test_another_merge_request_in_the_place_of_one_that_a_hook_told_of_begins_open(
    told: ToldRun, world: World
) -> None:
    await told.tell(*running(world), *opening(world))
    hook = replace(world.merge_request("close", "closed", iid=5), source_branch=(await told.view()).branch)
    await told.tell(replace(hook, source_project_id=2))
    assert [(m.iid, m.state) for m in (await told.view()).merge_requests] == [(5, "closed")]
    await told.tell(world.opened())
    assert [(m.iid, m.state) for m in (await told.view()).merge_requests] == [(1, "opened")]


async def test_closing_and_opening_again_ends_in_what_happened_last_in_whatever_order_it_is_told(
    told: ToldRun, world: World
) -> None:
    await told.tell(*running(world), *opening(world), world.opened(), world.opened())
    await told.tell(replace(world.merge_request("close", "closed"), at=None))
    assert (await told.view()).status is RunStatus.CLOSED
    hours = [world.now.replace(hour=hour) for hour in (12, 13, 14)]
    world.now = hours[-1]
    steps = [("close", "closed"), ("reopen", "opened"), ("close", "closed")]
    events = [replace(world.merge_request(*step), at=at) for step, at in zip(steps, hours, strict=True)]
    for order in permutations(events):
        async with told.taken_back():
            await told.tell(*order, *order)
            assert [m.state for m in (await told.view()).merge_requests] == ["closed"]
            actions = select(func.count()).select_from(MergeRequestEventRow)
            assert await told.session.scalar(actions.where(MergeRequestEventRow.at.in_(hours))) == 3


async def test_a_time_of_the_future_hides_nothing_that_happens_later(told: ToldRun, world: World) -> None:
    await told.tell(*running(world), *opening(world), world.opened(), world.opened())
    forged = replace(world.merge_request("reopen", "opened"), at=world.now + timedelta(days=73 * 365))
    approved = replace(forged, action="approved")
    await told.tell(forged, forged, approved, approved)
    times = list(await told.session.scalars(select(MergeRequestEventRow.at)))
    assert times == [world.now, world.now]
    world.now += timedelta(hours=1)
    await told.tell(
        replace(approved, action="unapproved", at=world.now),
        replace(world.merge_request("close", "closed"), at=world.now),
    )
    run = await told.view()
    assert ([m.state for m in run.merge_requests], run.status) == (["closed"], RunStatus.CLOSED)
    assert (await polled_merge_requests.known(told.session, RUN)).approvals == {}


async def test_a_person_who_closes_with_a_commit_of_their_own_is_known_for_both(told: ToldRun, world: World) -> None:
    await told.tell(*running(world), *opening(world), world.opened())
    event = replace(world.merge_request("close", "closed"), head_sha="f" * 40)
    await told.tell(event, event)
    actions = await told.session.scalars(select(MergeRequestEventRow.action).order_by(MergeRequestEventRow.id))
    assert list(actions) == ["commit", "close"]
    assert await told.session.scalar(select(func.count()).select_from(InterventionRow)) == 1


async def test_the_report_of_an_older_job_that_is_settled_late_does_not_count(told: ToldRun, world: World) -> None:
    await told.tell(*running(world))
    older = replace(world.planned(), job=JobId(10))
    newer = replace(world.planned(PlanOutcome.NEEDS_INFORMATION), job=JobId(11))
    await told.arrived(older)
    await told.arrived(newer)
    for order in permutations([older, newer]):
        async with told.taken_back():
            await told.tell(*order)
            run = await told.view()
            assert (run.reports, run.repositories, run.discarded) == ((newer.report,), (), ())


async def test_a_report_that_does_not_count_is_no_reason_any_more_once_a_newer_one_counts(
    told: ToldRun, world: World
) -> None:
    await told.tell(*running(world))
    failed = replace(world.discarded(Phase.TESTING, ReportOutcome.FAILED, "No network."), job=JobId(10))
    for order in permutations([failed, replace(world.accepted(Phase.TESTING), job=JobId(11))]):
        async with told.taken_back():
            await told.tell(*order)
            run = await told.view()
            assert (len(run.reports), run.discarded) == (1, ())


async def test_a_plan_of_an_iteration_that_is_over_changes_no_scope(told: ToldRun, world: World) -> None:
    await told.tell(*running(world), replace(world.planned(), job=JobId(10)))
    (await told.session.get_one(RunRow, RUN)).iteration = 2
    await told.tell(replace(world.planned(PlanOutcome.NEEDS_INFORMATION), job=JobId(11)))
    assert (await told.view()).repositories == (world.repository,)


async def test_ticket_and_catalogue_stay_as_the_run_was_started_with(told: ToldRun, world: World) -> None:
    await told.tell(*running(world))
    await told.tell(world.admitted("Another summary"), world.refreshed(iteration=2, summary="Another"))
    row = await told.session.get_one(RunRow, RUN)
    assert row.ticket is not None
    assert row.ticket["summary"] == world.admitted().ticket.summary


async def test_a_child_pipeline_of_another_project_or_of_an_unknown_parent_is_not_the_runs(
    told: ToldRun, world: World
) -> None:
    await told.tell(*running(world))
    before = await told.view()
    elsewhere = replace(world.pipeline("running", pipeline=300, parent=world.parent), project_id=9)
    await told.tell(elsewhere, world.pipeline("running", pipeline=301, parent=77))
    assert await told.view() == before


async def test_a_job_knows_its_agent_whether_its_hook_or_its_report_comes_first(told: ToldRun, world: World) -> None:
    await told.tell(*running(world))
    job = world.job("testing: payk12/contacts", "success", job=20)
    accepted = world.accepted(Phase.TESTING)
    accepted = replace(accepted, job=JobId(20), report=replace(accepted.report, agent="python"))
    for order in permutations([job, accepted]):
        async with told.taken_back():
            await told.tell(*order)
            assert await told.session.scalar(select(JobRow.agent)) == "python"


def told_apart(world: World) -> list[Event]:
    """Return an event of every kind, without those that differ in nothing that the store looks at.

    It knows of statuses only which is later, and nothing of a deadline. `tests/receiver/workflow` has them all.
    """
    like = {"pending", "preparing", "waiting_for_resource", "waiting_for_callback", "scheduled", "manual", "canceling"}
    deadlines = {RunStatus.RUNNING, RunStatus.STARTING}
    return [
        event
        for event in world.every_kind()
        if not (isinstance(event, PipelineChanged | JobChanged) and event.status in like)
        and not (isinstance(event, DeadlinePassed) and event.status not in deadlines)
    ]


async def test_a_repetition_of_any_event_changes_no_knowledge_and_starts_nothing_anew(
    told: ToldRun, world: World
) -> None:
    await told.tell(*running(world), *opening(world), world.opened())
    quiet = {"UpdateTicketNote", "UpdateMergeRequestNote", "PollGitLab", "SettleReports"}
    asked_again = {"ReadComment", "ReadNote", "CheckLabel", "CancelPipeline"}
    said_once = {"CommentRefusal"}  # of a run: a later one takes the place of the earlier
    for event in told_apart(world):
        async with told.taken_back():
            await told.tell(event)
            before, wanted = await told.view(), await told.effects()
            await told.tell(event)
            assert await told.view() == before, event
            assert set((await told.effects())[len(wanted) :]) <= quiet | asked_again | said_once, event


async def test_the_run_that_tests_of_the_core_work_with_is_what_the_store_loads(told: ToldRun, world: World) -> None:
    """`knowing` and the fold agree on every kind of event, told once."""
    await told.tell(*running(world))
    before = await told.view()
    known = [e for e in told_apart(world) if not isinstance(e, PipelineChanged) or e.status in lifecycle.STATUSES]
    for event in known:
        async with told.taken_back():
            await told.tell(event)
            expected, _ = knowing(before, event)
            after = await told.view()
            for name in ("pipelines", "reports", "discarded", "merge_requests", "repositories", "audience", "jobs"):
                if after.iteration == before.iteration:
                    assert getattr(after, name) == getattr(expected, name), (name, event)


async def test_rows_of_one_run_are_not_written_by_events_of_another(told: ToldRun, world: World) -> None:
    await told.tell(*running(world))
    await told.tell(world.pipeline("canceled"), world.labelled())
    second = await told.session.scalar(select(RunRow.id).where(RunRow.id != RUN))
    assert second is not None
    before = await told.view()
    job = world.job("testing: payk12/contacts", "success")
    await told.tell(job)
    for event in (world.started(pipeline=world.parent), replace(job, status="failed", pipeline=PipelineId(5))):
        await told.tell(event, run=second)  # type: ignore[arg-type]  # ids are strings
    after = await told.view()
    assert (after.pipelines, len(after.jobs)) == (before.pipelines, 1)
    assert await told.session.scalar(select(func.count()).select_from(MergeRequestRow)) == 0


async def test_a_label_after_an_end_finds_the_run_at_work_also_when_clocks_differ(told: ToldRun, world: World) -> None:
    await told.tell(*running(world), world.pipeline("canceled"))
    (second,) = await told.tell(world.labelled())
    (await told.session.get_one(RunRow, second.new_run)).created_at = world.now - timedelta(minutes=1)
    (third,) = await told.tell(world.labelled())
    assert (third.new_run, third.verdict) == (None, Verdict.IGNORED)
