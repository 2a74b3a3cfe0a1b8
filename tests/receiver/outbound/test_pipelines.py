from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from pipelines.language import Phase, PhaseReport, ProjectPath, ReportOutcome, RunId
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.outbound.effects.pipeline_effects import has_passed, judge
from receiver.outbound.errors import UnavailableError
from receiver.store.run import runs
from receiver.store.run.settled_reports import PendingReport
from receiver.store.schema import PipelineRow
from receiver.workflow import lifecycle
from receiver.workflow.effects import CancelPipeline, Confirm, PollGitLab, SettleReports, StartPipeline
from receiver.workflow.events.pipeline_events import (
    JobChanged,
    JobId,
    PipelineChanged,
    PipelineId,
    PipelineStarted,
    ReportAccepted,
    ReportDiscarded,
)
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

AUTOMATION = ProjectPath("payk12/bug-fix")


async def started(desk: Desk, run: RunId) -> PipelineStarted:
    (event,) = (await perform(desk, run, StartPipeline(iteration=1))).events
    assert isinstance(event, PipelineStarted)
    return event


async def note(desk: Desk, run: RunId, event: PipelineStarted, **known: Any) -> None:
    """Let a pipeline be known as the run's."""
    facts = {"run_id": run, "iteration": 1, "status": "created", "url": event.url, "seen_at": datetime.now(UTC)}
    async with desk.database.begin() as session:
        session.add(PipelineRow(id=event.pipeline, project_id=event.project_id, **facts | known))


async def test_a_pipeline_is_named_after_the_ticket_and_started_by_the_bot_that_can_not_write(
    desk: Desk, run: RunId, world: Any
) -> None:
    event = await started(desk, run)
    made = world.automation.pipelines.get(event.pipeline)
    assert (made.name, made.source, made.ref) == ("PL-479 · fix 1", "api", "main")
    assert made.user["username"] == "bug-fix-starter"


async def test_starting_an_iteration_again_finds_its_pipeline(desk: Desk, run: RunId, world: Any) -> None:
    assert await started(desk, run) == await started(desk, run)
    assert len(world.pipelines()) == 1


async def test_a_pipeline_whose_answer_was_lost_is_found(desk: Desk, run: RunId, world: Any) -> None:
    lost = {"requests": [{"method": "POST", "path": "/api/v4/projects/*/pipeline", "when": "after", "status": 502}]}
    httpx2.post(f"{world.gitlab_url}/_sandbox/faults", json=lost, timeout=60).raise_for_status()
    with pytest.raises(UnavailableError):
        await started(desk, run)
    event = await started(desk, run)
    assert [pipeline.id for pipeline in world.pipelines()] == [event.pipeline]


async def test_a_pipeline_of_an_earlier_run_with_the_same_name_is_not_taken(desk: Desk, run: RunId, world: Any) -> None:
    event = await started(desk, run)
    other = RunId("00000000000000bb")
    now = datetime.now(UTC)
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        row.status = "failed"
        await session.flush()
        new = await runs.create(
            session, other, issue_key="PL-479", status=RunStatus.STARTING, actor=None, name="", now=now
        )
        new.catalogue, new.base_shas = row.catalogue, row.base_shas
    await note(desk, run, event, status="failed")
    second = await started(desk, other)
    assert second.pipeline != event.pipeline
    assert len(world.pipelines()) == 2


async def test_cancelling_cancels_and_may_be_repeated(desk: Desk, run: RunId, world: Any) -> None:
    httpx2.post(f"{world.gitlab_url}/_sandbox/jobs/hold", json={"pattern": "*"}, timeout=60).raise_for_status()
    event = await started(desk, run)
    effect = CancelPipeline(project_id=event.project_id, pipeline=event.pipeline, reason="Nobody waits for it.")
    for _ in range(2):
        await perform(desk, run, effect)
    assert world.automation.pipelines.get(event.pipeline).status == "canceled"
    httpx2.post(f"{world.gitlab_url}/_sandbox/jobs/release", json={"pattern": "*"}, timeout=60).raise_for_status()


async def test_polling_tells_what_hooks_would_have_told_and_nothing_twice(desk: Desk, run: RunId, world: Any) -> None:
    event = await started(desk, run)
    await note(desk, run, event)
    httpx2.get(f"{world.gitlab_url}/_sandbox/jobs/settled", params={"timeout_s": 30}, timeout=40).raise_for_status()
    told = (await perform(desk, run, PollGitLab(iteration=1))).events
    names = {one.name for one in told if isinstance(one, JobChanged)}
    assert {"analysis", "generate"} <= names
    assert any(name.startswith("prepare: [payk12/contacts, python, ") for name in names)
    assert isinstance(told[-1], PipelineChanged)
    assert lifecycle.is_over(told[-1].status)


@pytest.mark.parametrize("told", ["canceled", "failed"])
async def test_an_end_that_gitlab_does_not_know_is_answered_with_what_it_says(
    desk: Desk, run: RunId, world: Any, told: str
) -> None:
    httpx2.post(f"{world.gitlab_url}/_sandbox/jobs/hold", json={"pattern": "*"}, timeout=60).raise_for_status()
    event = await started(desk, run)
    await note(desk, run, event)
    hook = PipelineChanged(
        project_id=event.project_id,
        project=ProjectPath("payk12/contacts"),
        pipeline=event.pipeline,
        status=told,
        source="api",
        parent=None,
        url="http://elsewhere.example",
        ref="main",
        sha="f" * 40,
        created_at=None,
        finished_at=None,
    )
    done = await perform(desk, run, Confirm(told=hook))
    (answer,) = done.events
    assert isinstance(answer, PipelineChanged)
    assert not lifecycle.is_over(answer.status)
    assert (answer.url, done.result["is_so"]) == (event.url, False)
    world.automation.pipelines.get(event.pipeline).cancel()
    (answer,) = (await perform(desk, run, Confirm(told=hook))).events
    assert isinstance(answer, PipelineChanged)
    assert answer.status == "canceled"
    httpx2.post(f"{world.gitlab_url}/_sandbox/jobs/release", json={"pattern": "*"}, timeout=60).raise_for_status()


async def test_the_end_of_a_job_that_a_hook_told_of_is_told_when_gitlab_says_so_also_if_it_was_run_again(
    desk: Desk, run: RunId, world: Any
) -> None:
    def control(step: str) -> None:
        url = f"{world.gitlab_url}/_sandbox/jobs/{step}"
        httpx2.post(url, json={"pattern": "*"}, timeout=60).raise_for_status()

    async def ended() -> list[tuple[int, str]]:
        asked = SettleReports(iteration=1, of_pipeline=(event.project_id, event.pipeline))
        told = (await perform(desk, run, asked)).events
        return [(one.job, one.status) for one in told if isinstance(one, JobChanged)]

    control("hold")
    event = await started(desk, run)
    await note(desk, run, event)
    first = world.automation.pipelines.get(event.pipeline).jobs.list(get_all=True)[0]
    assert await ended() == []
    world.automation.jobs.get(first.id).cancel()
    world.automation.jobs.get(first.id).retry()
    assert await ended() == [(first.id, "canceled")]
    control("release")


def report(outcome: ReportOutcome) -> PhaseReport:
    return PhaseReport(
        run=RunId("00000000000000aa"),
        iteration=1,
        phase=Phase.REPRODUCTION,
        repository=ProjectPath("payk12/contacts"),
        outcome=outcome,
        reason="It said so.",
        result=None,
    )


def job(status: str, *, allow_failure: bool = False) -> JobChanged:
    return JobChanged(
        project_id=1,
        project=AUTOMATION,
        pipeline=PipelineId(1),
        job=JobId(5),
        name="reproduction: payk12/contacts",
        stage="reproduction",
        status=status,
        allow_failure=allow_failure,
        failure_reason=None,
        queued_s=None,
        started_at=None,
        finished_at=None,
        duration_s=None,
    )


@pytest.mark.parametrize("status", sorted(lifecycle.STATUSES))
@pytest.mark.parametrize("outcome", list(ReportOutcome))
def test_a_report_counts_when_gitlab_says_so_whatever_the_job_says(status: str, outcome: ReportOutcome) -> None:
    pending = PendingReport(id=1, project_id=1, pipeline=1, job=5, report=report(outcome))
    for allow_failure in (False, True):
        answer = judge(pending, job(status, allow_failure=allow_failure))
        if not lifecycle.is_over(status):
            assert answer is None
        elif status == "success" or (status == "failed" and allow_failure and outcome == "not_reproduced"):
            assert isinstance(answer, ReportAccepted)
        else:
            assert isinstance(answer, ReportDiscarded)
            assert answer.reason


def test_a_report_of_a_job_that_was_retried_does_not_count() -> None:
    pending = PendingReport(id=1, project_id=1, pipeline=1, job=5, report=report(ReportOutcome.SUCCEEDED))
    assert isinstance(judge(pending, None), ReportDiscarded)


@pytest.mark.parametrize("status", sorted(lifecycle.STATUSES))
def test_reports_are_looked_for_where_a_report_of_the_job_can_count(status: str) -> None:
    for allow_failure in (False, True):
        ended = job(status, allow_failure=allow_failure)
        counts = [
            isinstance(
                judge(PendingReport(id=1, project_id=1, pipeline=1, job=5, report=report(o)), ended), ReportAccepted
            )
            for o in ReportOutcome
        ]
        assert has_passed(ended) is any(counts)
    assert not has_passed(None), "GitLab lists a newer job of that name"
