"""Ask GitLab how a run's pipelines and merge requests are; tell only what is news: hooks get lost, and come early."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from pipelines.language import ProjectPath, RunId
from receiver.outbound.effects import merge_request_polling
from receiver.outbound.effects.desk import Desk, Performed
from receiver.store.run import merge_requests, polled_merge_requests, run_pipelines, runs
from receiver.workflow import lifecycle
from receiver.workflow.effects import Confirm, PollGitLab
from receiver.workflow.events.event import Event
from receiver.workflow.events.pipeline_events import JobChanged, PipelineChanged, PipelineId
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


async def confirm(desk: Desk, run: RunId, effect: Confirm) -> Performed:
    """Return how a pipeline or merge request is that a hook told of, as GitLab says; nothing if it is not the run's."""
    told = effect.told
    async with desk.database.begin() as session:
        row = await runs.find(session, run)
        view = await runs.load(session, row)
    events: Sequence[Event]
    if isinstance(told, PipelineChanged):
        project = (runs.catalogue_of(row) or desk.catalogue()).automation_project
        state, events = await _confirmed(desk, view, told, project)
        is_so = state == told.status
    else:
        path = merge_requests.repository(told, row)
        state, events = await merge_request_polling.confirmed(desk, view, told, path=path)
        is_so = bool(events)
    if not is_so:
        log.warning("hook.contradicted", run=run, kind=type(told).__name__, project=told.project_id, state=state)
    return Performed(events=tuple(events), result={"state": state, "is_so": is_so})


async def _confirmed(
    desk: Desk, run: Run, told: PipelineChanged, project: ProjectPath
) -> tuple[str, list[PipelineChanged | JobChanged]]:
    """Return how a pipeline is. A new one is the run's if the run's pipeline triggered it, and its jobs come with it.

    Until then hooks of these jobs were about no run.
    """
    known = next((one for one in run.pipelines if one.pipeline == told.pipeline), None)
    if known is not None:
        now = await _one(desk, told.project_id, project, known.pipeline, parent=known.parent)
        return now.status, [now]
    if told.parent is None or told.pipeline not in await _children(desk, told.project_id, told.parent):
        return "not triggered by the run", []
    now = await _one(desk, told.project_id, project, told.pipeline, parent=told.parent)
    jobs = await asyncio.to_thread(desk.reader.jobs, told.project_id, project, told.pipeline)
    return now.status, [now, *jobs]


async def _pipelines(
    desk: Desk, run: Run, parent: PipelineView, project: ProjectPath, *, asks_for_end: bool
) -> list[Event]:
    """Tell of children first, so that their jobs find them, and of the parent last: its end ends the iteration."""
    known = {pipeline.pipeline: pipeline.status for pipeline in run.pipelines}
    above = await _one(desk, parent.project_id, project, parent.pipeline, parent=None)
    if asks_for_end and not lifecycle.is_news(above.status, parent.status):
        return []
    async with desk.database.begin() as session:
        statuses = await run_pipelines.job_statuses(session, run.id)
    below = await _children(desk, parent.project_id, parent.pipeline)
    children = [await _one(desk, parent.project_id, project, child, parent=parent.pipeline) for child in below]
    events: list[Event] = [child for child in children if lifecycle.is_news(child.status, known.get(child.pipeline))]
    for pipeline in [*below, parent.pipeline]:
        told = await asyncio.to_thread(desk.reader.jobs, parent.project_id, project, pipeline)
        events += [job for job in told if lifecycle.is_news(job.status, statuses.get(job.job))]
    if lifecycle.is_news(above.status, known.get(above.pipeline)):
        events.append(above)
    return events


async def _children(desk: Desk, project_id: int, pipeline: int) -> list[int]:
    return await asyncio.to_thread(desk.reader.children, project_id, pipeline)


async def _one(
    desk: Desk, project_id: int, project: ProjectPath, pipeline: int, *, parent: PipelineId | None
) -> PipelineChanged:
    told = await asyncio.to_thread(desk.reader.pipeline, project_id, project, pipeline)
    return told if parent is None else replace(told, parent=parent, source="parent_pipeline")
