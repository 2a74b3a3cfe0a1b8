"""Ask GitLab how a run's pipelines and merge requests are; tell only what is news: hooks get lost, and come early."""

from __future__ import annotations

import asyncio

import structlog
from msgspec.structs import replace

from pipelines.language import ProjectPath, RunId
from receiver.outbound.effects import merge_request_polling
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.gitlab.repositories_api import MergeRequest
from receiver.store.run import merge_requests, polled_merge_requests, runs
from receiver.workflow import lifecycle
from receiver.workflow.effects import ConfirmEnd, PollGitLab
from receiver.workflow.events import Event, MergeRequestChanged, PipelineChanged
from receiver.workflow.run import PipelineView, Run

log = structlog.get_logger()


async def poll(desk: Desk, run: RunId, effect: PollGitLab) -> Performed:
    """Return what hooks would have told, as far as it is not known."""
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        view = await runs.load(session, row)
        project = (runs.catalogue_of(row) or desk.catalogue()).automation_project
    events: list[Event] = []
    for parent in [p for p in view.pipelines if p.iteration == effect.iteration and p.parent is None]:
        events += await _pipelines(desk, view, parent, project, asks_for_end=effect.asks_for_end)
    if effect.asks_for_end and not events:
        return Performed(result={"news": 0})
    async with desk.database.begin() as session:
        before = await polled_merge_requests.known(session, run)
    for known in view.merge_requests:
        events += await merge_request_polling.news(desk, view, known, before)
    return Performed(events=tuple(events), result={"news": len(events)})


async def confirm(desk: Desk, run: RunId, effect: ConfirmEnd) -> Performed:
    """Return what GitLab says of a pipeline, or that a merge request is as a hook told; nothing if it is not.

    What of a merge request only hooks tell is kept, such as who closed it.
    """
    told = effect.told
    if isinstance(told, PipelineChanged):
        now = await asyncio.to_thread(desk.reader.pipeline, told.project_id, told.project, told.pipeline)
        answer: Event = replace(now, parent=told.parent, source=told.source)
        is_so, state = now.status == told.status, now.status
    else:
        there = await asyncio.to_thread(desk.repositories.merge_request, told.project_id, told.iid)
        answer = replace(told, merge_commit_sha=there.merge_commit_sha)
        is_so = there.state == told.state and await _is_the_runs(desk, run, told, there)
        state = there.state
    if not is_so:
        log.warning("hook.contradicted", run=run, kind=type(told).__name__, project=told.project_id, state=state)
    is_worth_telling = is_so or isinstance(told, PipelineChanged)
    return Performed(events=(answer,) if is_worth_telling else (), result={"state": state, "is_so": is_so})


async def _is_the_runs(desk: Desk, run: RunId, told: MergeRequestChanged, there: MergeRequest) -> bool:
    """Say whether a merge request is the run's; one that only hooks told of could be any project's under our path."""
    async with desk.database.begin() as session:
        row = await runs.find(session, run)
        known = await merge_requests.of_run(session, run)
        path, branch = merge_requests.repository(told, row), row.branch
    if any((one.project_id, one.iid) == (told.project_id, told.iid) and one.head_sha for one in known):
        return True
    return path is not None and await merge_request_polling.is_of_branch(desk, there, path=path, branch=branch)


async def _pipelines(
    desk: Desk, run: Run, parent: PipelineView, project: ProjectPath, *, asks_for_end: bool
) -> list[Event]:
    """Tell of children first, so that their jobs find them, and of the parent last: its end ends the iteration."""
    known = {pipeline.pipeline: pipeline.status for pipeline in run.pipelines}
    jobs = {job.job: job.status for job in run.jobs}
    above = await _one(desk, parent, project, parent.pipeline)
    if asks_for_end and not lifecycle.is_news(above.status, parent.status):
        return []
    below = await asyncio.to_thread(desk.reader.children, parent.project_id, parent.pipeline)
    children = [await _one(desk, parent, project, child) for child in below]
    events: list[Event] = [child for child in children if lifecycle.is_news(child.status, known.get(child.pipeline))]
    for pipeline in [*below, parent.pipeline]:
        told = await asyncio.to_thread(desk.reader.jobs, parent.project_id, project, pipeline)
        events += [job for job in told if lifecycle.is_news(job.status, jobs.get(job.job))]
    if lifecycle.is_news(above.status, known.get(above.pipeline)):
        events.append(above)
    return events


async def _one(desk: Desk, parent: PipelineView, project: ProjectPath, pipeline: int) -> PipelineChanged:
    told = await asyncio.to_thread(desk.reader.pipeline, parent.project_id, project, pipeline)
    if pipeline == parent.pipeline:
        return told
    return replace(told, parent=parent.pipeline, source="parent_pipeline")
