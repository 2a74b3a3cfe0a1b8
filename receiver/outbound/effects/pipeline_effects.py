"""Effects on pipelines: start, cancel, ask how they are, settle reports."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

import structlog

from pipelines.generation import prepare_matrix
from pipelines.language import Phase, PhaseReport, PipelineKey, PipelineKind, ReportOutcome, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.pipeline_key import fix
from pipelines.language.policy import ReviewMode
from receiver import limits
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.report_collection import collect
from receiver.outbound.errors import RefusedError, UnavailableError
from receiver.outbound.gitlab.pipelines_api import FoundPipeline
from receiver.store.jobs import reused_reports, unreported
from receiver.store.jobs.unreported import Unreported
from receiver.store.money import funds
from receiver.store.run import run_pipelines, runs, settled_reports, started_pipelines
from receiver.store.run.runs import RunFacts
from receiver.store.run.settled_reports import REPLACED, PendingReport
from receiver.workflow import lifecycle
from receiver.workflow.effects import CancelPipeline, ConfirmStopped, SettleReports, StartPipeline, UpdateTicketNote
from receiver.workflow.events.pipeline_events import (
    JobChanged,
    JobId,
    PipelineId,
    PipelineStarted,
    ReportAccepted,
    ReportDiscarded,
    ReportsSettled,
)
from receiver.workflow.events.run_events import AttemptUnfunded

log = structlog.get_logger()


def name_of(issue_key: str, pipeline: PipelineKey) -> str:
    """Return a pipeline's name, as people see it in GitLab."""
    return f"{issue_key} · {pipeline}"


def previous_name_of(issue_key: str, pipeline: PipelineKey) -> str:
    """Return the name that the previous release gave, which may have crashed after creating the pipeline.

    The next release needs it no more.
    """
    return f"{issue_key} · iteration {pipeline.number}"


def inputs_of(facts: RunFacts, effect: StartPipeline, catalogue: Catalogue, public_url: str) -> dict[str, Any]:
    """Return the parent pipeline's inputs. No untrusted text is among them.

    Where the plan is known, nothing is analysed, and what has to be prepared again is in the child.
    """
    pinned = facts.pinned_plan is not None
    return {
        "first": str(Phase.GENERATE if pinned else Phase.ANALYSIS),
        "run": facts.id,
        "kind": str(PipelineKind.FIX),
        "iteration": effect.iteration,
        "name": name_of(facts.issue_key, fix(effect.iteration)),
        "receiver": public_url.rstrip("/"),
        "prepare": prepare_matrix.matrix(catalogue, readable=() if pinned else facts.base_shas),
        "image": catalogue.automation_image,
    }


async def start(desk: Desk, run: RunId, effect: StartPipeline) -> Performed:
    """Create the parent pipeline, unless a crash came after it was created: then it is found."""
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
    catalogue, starter = facts.catalogue, desk.starter(PipelineKind.FIX)
    if catalogue is None:
        raise RefusedError("The run has no catalogue: its ticket was never admitted.")
    project_id = await asyncio.to_thread(starter.project_id, catalogue.automation_project)
    name = name_of(facts.issue_key, fix(effect.iteration))
    ref = catalogue.automation_ref
    there = [
        one
        for known in (name, previous_name_of(facts.issue_key, fix(effect.iteration)))
        for one in await asyncio.to_thread(starter.named, project_id, ref=ref, name=known)
    ]
    async with desk.database.begin() as session:
        taken = await started_pipelines.of_other_runs(session, [one.id for one in there], run=run)
    lost = [
        one for one in there if one.id not in taken and one.created_at >= facts.created_at - limits.LOST_PIPELINE_WINDOW
    ]
    if lost:
        return _started(lost[-1], effect)  # the oldest: the run waits for one only, a second one is cancelled
    refusal = await _unfunded(desk, facts, effect.iteration, catalogue)
    if refusal is not None:
        event = AttemptUnfunded(iteration=effect.iteration, reason=refusal)
        return Performed(events=(event,), result={"pipeline": None, "why": refusal})
    inputs = inputs_of(facts, effect, catalogue, desk.public_url)
    desk.faults.reach("StartPipeline:before_post")
    made = await asyncio.to_thread(starter.create, project_id, ref=ref, inputs=inputs, name=name)
    desk.faults.reach("StartPipeline:after_post")
    return _started(made, effect)


async def _unfunded(desk: Desk, facts: RunFacts, iteration: int, catalogue: Catalogue) -> str | None:
    """Return why the budget can't fund an attempt, None when it can: by what its phases usually cost."""
    budget, now = catalogue.policy.budget_usd, desk.clock()
    async with desk.database.begin() as session:
        reused = await reused_reports.phases(session, facts.id, iteration)
        passes = funds.passes(
            repositories=len(facts.pinned_plan.repositories) if facts.pinned_plan else 1,
            is_planned=facts.pinned_plan is not None,
            is_reviewed=catalogue.policy.review is not ReviewMode.OFF,
            reused=reused,
        )
        amount = await funds.of_attempt(session, passes, now=now)
        left = await funds.read(
            session, facts.id, run_budget=budget.run + facts.extra_usd, day_budget=budget.day, now=now
        )
    return left.shortfall(amount, f"attempt {iteration}", cost=funds.OF_USUAL) if amount else None


def _started(found: FoundPipeline, effect: StartPipeline) -> Performed:
    event = PipelineStarted(
        iteration=effect.iteration, project_id=found.project_id, pipeline=PipelineId(found.id), url=found.url
    )
    return Performed(events=(event,), result={"pipeline": found.id, "url": found.url})


async def cancel(desk: Desk, _run: RunId, effect: CancelPipeline) -> Performed:
    """Cancel a pipeline and its children; that they are over is seen to afterwards."""
    starter = desk.starter(effect.kind)
    children = await asyncio.to_thread(starter.children, effect.project_id, effect.pipeline)
    for pipeline in [effect.pipeline, *children]:
        await asyncio.to_thread(starter.cancel, effect.project_id, pipeline)
    seen_to = ConfirmStopped(
        kind=effect.kind,
        project_id=effect.project_id,
        pipeline=effect.pipeline,
        until=desk.clock() + limits.STOPPED_WITHIN,
    )
    return Performed(result={"cancelled": [effect.pipeline, *children]}, then=(seen_to,))


async def confirm_stopped(desk: Desk, run: RunId, effect: ConfirmStopped) -> Performed:
    """Tell that a cancelled pipeline is over, or which of its jobs still run when it should be.

    Cancelling again what is not: a trigger job can have made a child meanwhile. Raises UnavailableError to be asked
    again.
    """
    async with desk.database.begin() as session:
        project = ((await runs.facts(session, run)).catalogue or desk.catalogue()).automation_project
    starter, where = desk.starter(effect.kind), effect.project_id
    below = await asyncio.to_thread(starter.children, where, effect.pipeline)
    told = [await asyncio.to_thread(desk.reader.pipeline, where, project, one) for one in (effect.pipeline, *below)]
    going_on = [one for one in told if not lifecycle.is_over(one.status)]
    if not going_on:
        return Performed(events=tuple(told[:1]), result={"over": [one.pipeline for one in told]})
    if desk.clock() < effect.until:
        for one in going_on:
            if one.status != "canceling":
                await asyncio.to_thread(starter.cancel, where, one.pipeline)
        raise UnavailableError(f"Pipeline {going_on[0].pipeline} is {going_on[0].status}.")
    jobs = [job for one in going_on for job in await asyncio.to_thread(desk.reader.jobs, where, project, one.pipeline)]
    names = ", ".join(sorted(job.name for job in jobs if not lifecycle.is_over(job.status))) or "none that GitLab names"
    minutes = limits.STOPPED_WITHIN.total_seconds() / 60
    remark = (
        f"Pipeline {effect.pipeline} was cancelled and is not over after {minutes:.0f} minutes. Still there: {names}."
    )
    return Performed(result={"over": False}, remark=f"{remark} Cancel it in GitLab.", then=(UpdateTicketNote(),))


async def settle(desk: Desk, run: RunId, effect: SettleReports) -> Performed:
    """Ask GitLab how the jobs behind pending reports ended, after fetching reports that never reached us.

    Jobs of which GitLab says in passing that they ended are told first: the session of each ends with that.
    """
    async with desk.database.begin() as session:
        missing = await unreported.of_run(session, run, iteration=effect.iteration)
        waiting = await settled_reports.pending(session, run, iteration=effect.iteration)
        catalogue = (await runs.facts(session, run)).catalogue or desk.catalogue()
        known = await run_pipelines.job_statuses(session, run)
    places: set[tuple[int, int]] = set() if effect.of_pipeline is None else {effect.of_pipeline}
    places |= {(one.session.project_id, one.session.pipeline_id) for one in missing}
    places |= {(one.project_id, one.pipeline) for one in waiting}
    told: list[JobChanged] = []
    for project_id, pipeline in sorted(places):
        told += await asyncio.to_thread(desk.reader.jobs, project_id, catalogue.automation_project, pipeline)
    ends = [
        one
        for one in told
        if one.status in lifecycle.WITHOUT_SESSION and lifecycle.is_news(one.status, known.get(one.job))
    ]
    newest = {(one.pipeline, one.name): one for one in told}  # the others were run again
    jobs = {one.job: one for one in newest.values()}
    passed = [one for one in missing if has_passed(jobs.get(JobId(one.session.job_id)))]
    fetched = [await _collected(desk, one, catalogue=catalogue) for one in passed]
    if passed:
        async with desk.database.begin() as session:
            waiting = await settled_reports.pending(session, run, iteration=effect.iteration)
    answers = [judge(one, jobs.get(JobId(one.job))) for one in waiting]
    settled = [event for event in (*fetched, *answers) if isinstance(event, ReportAccepted | ReportDiscarded)]
    left = answers.count(None) + fetched.count(Fetched.NOT_NOW)
    done = () if left else (ReportsSettled(iteration=effect.iteration),)
    result: dict[str, Any] = {"settled": len(settled), "pending": left}
    if passed:
        result["fetched_from_artifacts"] = [one.session.job_id for one in passed]
    return Performed(events=(*ends, *settled, *done), result=result)


class Fetched(Enum):
    """What became of a report that was looked for among the artifacts of its job, if it is not discarded."""

    PENDING = "pending"
    NOT_NOW = "not_now"
    """GitLab can't be asked; other reports need not wait for that, and the sweep looks again."""


async def _collected(desk: Desk, one: Unreported, *, catalogue: Catalogue) -> Fetched | ReportDiscarded:
    try:
        return await collect(desk, one, catalogue=catalogue) or Fetched.PENDING
    except UnavailableError as error:
        log.warning("report.not_collected_yet", run=one.session.run, job=one.session.job_id, reason=str(error))
        return Fetched.NOT_NOW


def has_passed(job: JobChanged | None) -> bool:
    """Say whether a job ended in a way that can make a report of it count. None: GitLab lists a newer one instead."""
    return job is not None and (job.status == "success" or (job.status == "failed" and job.allow_failure))


def judge(pending: PendingReport, job: JobChanged | None) -> ReportAccepted | ReportDiscarded | None:
    """Return what GitLab's word on a job means for its report; None while the job has not ended.

    `job` is None when GitLab lists a newer job of that name instead.
    """
    report: PhaseReport = pending.report
    if job is None:
        return ReportDiscarded(job=JobId(pending.job), report=report, reason=REPLACED)
    if not lifecycle.is_over(job.status):
        return None
    honest_no = job.status == "failed" and job.allow_failure and report.outcome is ReportOutcome.NOT_REPRODUCED
    if job.status == "success" or honest_no:
        return ReportAccepted(job=job.job, report=report)
    why = report.reason if job.status == "failed" else f"Its job ended as {job.status}."
    return ReportDiscarded(job=job.job, report=report, reason=why)
