"""Ask GitLab how a run's pipelines and merge requests are; tell only what is news: hooks get lost, and come early."""

from __future__ import annotations

import asyncio

import structlog
from msgspec.structs import replace

from pipelines.language import ProjectPath, RunId
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.repositories_api import HeadPipeline, MergeRequest
from receiver.store.run import merge_requests, runs, target_pipelines
from receiver.workflow import lifecycle
from receiver.workflow.effects import ConfirmEnd, PollGitLab
from receiver.workflow.events import Event, MergeRequestChanged, PipelineChanged, PipelineId
from receiver.workflow.run import MergeRequestView, PipelineView, Run, RunStatus

log = structlog.get_logger()

ACTIONS = {"merged": "merge", "closed": "close", "opened": "reopen"}
"""What a hook would have called it."""


async def poll(desk: Desk, run: RunId, effect: PollGitLab) -> Performed:
    """Return what hooks would have told, as far as it is not known."""
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        view = await runs.load(session, row)
        project = (runs.catalogue_of(row) or desk.catalogue()).automation_project
        theirs = await target_pipelines.statuses(session, run)
        approvers = await merge_requests.approvers(session, run)
    events: list[Event] = []
    for parent in [p for p in view.pipelines if p.iteration == effect.iteration and p.parent is None]:
        events += await _pipelines(desk, view, parent, project)
    for known in view.merge_requests:
        there = await asyncio.to_thread(desk.repositories.merge_request, known.project_id, known.iid)
        is_waited_for = view.status is RunStatus.IN_REVIEW  # for an end, which may have come before the run was there
        events += _merge_request(known, there, theirs, is_waited_for=is_waited_for)
        events += await _approvals(desk, known, there, approvers.get((known.project_id, known.iid), {}))
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
        is_so, state = there.state == told.state, there.state
    if not is_so:
        log.warning("hook.contradicted", run=run, kind=type(told).__name__, project=told.project_id, state=state)
    is_worth_telling = is_so or isinstance(told, PipelineChanged)
    return Performed(events=(answer,) if is_worth_telling else (), result={"state": state, "is_so": is_so})


async def _pipelines(desk: Desk, run: Run, parent: PipelineView, project: ProjectPath) -> list[Event]:
    """Tell of children first, so that their jobs find them, and of the parent last: its end ends the iteration."""
    known = {pipeline.pipeline: pipeline.status for pipeline in run.pipelines}
    jobs = {job.job: job.status for job in run.jobs}
    below = await asyncio.to_thread(desk.reader.children, parent.project_id, parent.pipeline)
    children = [await _one(desk, parent, project, child) for child in below]
    above = await _one(desk, parent, project, parent.pipeline)
    events: list[Event] = [child for child in children if _is_news(child.status, known.get(child.pipeline))]
    for pipeline in [*below, parent.pipeline]:
        told = await asyncio.to_thread(desk.reader.jobs, parent.project_id, project, pipeline)
        events += [job for job in told if _is_news(job.status, jobs.get(job.job))]
    if _is_news(above.status, known.get(above.pipeline)):
        events.append(above)
    return events


async def _one(desk: Desk, parent: PipelineView, project: ProjectPath, pipeline: int) -> PipelineChanged:
    told = await asyncio.to_thread(desk.reader.pipeline, parent.project_id, project, pipeline)
    if pipeline == parent.pipeline:
        return told
    return replace(told, parent=parent.pipeline, source="parent_pipeline")


def _is_news(told: str, known: str | None) -> bool:
    return known is None or lifecycle.later(known, told) != known


async def _approvals(desk: Desk, known: MergeRequestView, there: MergeRequest, heard: dict[int, str]) -> list[Event]:
    """Tell of approvals whose hook was lost, and of which commit they are; a pipeline may wait for one.

    GitLab keeps an approval when the branch gets another commit, and an earlier run may have left one behind. So it is
    of the head only when it was given after the head was pushed; otherwise of no commit that is known.
    """
    if there.state != "opened":
        return []
    try:
        given = await asyncio.to_thread(desk.repositories.approved_by, known.project_id, known.iid)
        if all(heard.get(user) == there.sha for user in given):
            return []
        fresh = await asyncio.to_thread(_given_after_push, desk, there)
    except RefusedError:  # this GitLab does not let us see them
        return []
    events: list[Event] = []
    for user, name in given.items():
        head = there.sha if user in fresh else ""
        if user not in heard or (head and heard[user] != head):
            approval = _changed(known, there, action="approved", actor_id=user, actor=name)
            events.append(replace(approval, head_sha=head))
    return events


def _given_after_push(desk: Desk, there: MergeRequest) -> frozenset[int]:
    """Return the users who approved after the head was pushed, by GitLab's times; unknown times do not count."""
    pushed = desk.repositories.pushed_at(there.project_id, there.iid, head=there.sha)
    times = desk.repositories.approved_at(there.project_id, there.iid)
    return frozenset(user for user, at in times.items() if pushed is not None and at > pushed)


def _merge_request(
    known: MergeRequestView, there: MergeRequest, theirs: dict[int, str], *, is_waited_for: bool
) -> list[Event]:
    pipeline = there.head_pipeline
    events: list[Event] = []
    if pipeline is not None and _is_news(pipeline.status, theirs.get(pipeline.id)):
        events.append(_target_pipeline(known, pipeline))
    if there.state == known.state and (there.state == "opened" or not is_waited_for):
        return events
    action = ACTIONS.get(there.state, "update")
    return [*events, _changed(known, there, action=action, actor_id=None, actor=there.merged_by)]


def _changed(
    known: MergeRequestView, there: MergeRequest, *, action: str, actor_id: int | None, actor: str
) -> MergeRequestChanged:
    return MergeRequestChanged(
        project_id=known.project_id,
        project=known.repository,
        iid=known.iid,
        action=action,
        state=there.state,
        source_branch=there.source_branch,
        head_sha=there.sha,
        actor_id=actor_id,
        actor=actor,
        at=None,
        merge_commit_sha=there.merge_commit_sha,
    )


def _target_pipeline(known: MergeRequestView, pipeline: HeadPipeline) -> PipelineChanged:
    return PipelineChanged(
        project_id=known.project_id,
        project=known.repository,
        pipeline=PipelineId(pipeline.id),
        status=pipeline.status,
        source=pipeline.source,
        parent=None,
        url=pipeline.url,
        ref=pipeline.ref,
        sha=pipeline.sha,
        created_at=pipeline.created_at,
        finished_at=None,
    )
