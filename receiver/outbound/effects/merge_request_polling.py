"""Ask GitLab what happened to a merge request of a run: its state and head, its pipeline, approvals and notes.

Only what is news is told, as the hook would have told it that was lost or came too early.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from msgspec.structs import replace

from pipelines.language import ProjectPath, RunId
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.notes_api import Note
from receiver.outbound.gitlab.repositories_api import HeadPipeline, MergeRequest
from receiver.store.run import polled_merge_requests, runs
from receiver.store.run.polled_merge_requests import Known
from receiver.store.run.standing_approvals import Approval
from receiver.workflow import lifecycle
from receiver.workflow.commands import command_grammar, command_table
from receiver.workflow.effects import PollMergeRequest
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.message_events import NotePosted
from receiver.workflow.events.pipeline_events import PipelineChanged, PipelineId
from receiver.workflow.run import MergeRequestView, Run, RunStatus

ACTIONS = {"merged": "merge", "closed": "close", "opened": "reopen"}
"""What a hook would have called it."""


async def poll(desk: Desk, run: RunId, effect: PollMergeRequest) -> Performed:
    """Return what hooks would have told of a merge request that was changed, as far as it is not known."""
    async with desk.database.begin() as session:
        view = await runs.load(session, await runs.hold(session, run))
        before = await polled_merge_requests.known(session, run)
        since = await polled_merge_requests.read_before(session, run, effect)
        heard = await polled_merge_requests.heard_notes(session, run)
    this = (effect.project_id, effect.iid)
    known = next((one for one in view.merge_requests if (one.project_id, one.iid) == this), None)
    if known is None:  # the run has another by now
        return Performed(result={"news": 0})
    events = await unheard_notes(desk, known, heard, since=since)
    events += await news(desk, view, known, before)
    return Performed(events=tuple(events), result={"news": len(events)})


async def unheard_notes(desk: Desk, known: MergeRequestView, heard: frozenset[int], *, since: datetime) -> list[Event]:
    """Tell of notes as their hooks would have; of our own, and of those that not everybody sees, hooks mean nothing."""
    bot = await asyncio.to_thread(lambda: desk.repositories.bot)
    found = await asyncio.to_thread(desk.repositories.notes.since, known.project_id, known.iid, since=since)
    return [
        _posted(one, known) for one in found if one.id not in heard and one.author_id != bot and not one.is_internal
    ]


def _posted(note: Note, known: MergeRequestView) -> NotePosted:
    """Return what the hook of a note would have told; one that was changed meanwhile may have been edited."""
    command = command_grammar.read_note(note.body)
    return NotePosted(
        project_id=known.project_id,
        project=known.repository,
        iid=known.iid,
        note=note.id,
        action="update" if note.is_changed else "create",
        system=note.is_system,
        author_id=note.author_id,
        is_addressed=command is not None,
        overtakes=command_table.overtakes(command),
        text_sha256=command_grammar.fingerprint(note.body),
    )


async def news(desk: Desk, run: Run, known: MergeRequestView, before: Known) -> list[Event]:
    """Return what is news of a merge request's state, its head and pipeline, and who approved it."""
    there = await asyncio.to_thread(desk.repositories.merge_request, known.project_id, known.iid)
    this = (known.project_id, known.iid)
    is_waited_for = run.status is RunStatus.IN_REVIEW  # for an end, which may have come before the run was there
    events = _merge_request(known, there, before.pipelines, is_waited_for=is_waited_for)
    if there.state == known.state == "opened" and there.sha not in before.heads.get(this, {there.sha}):
        events.append(_changed(known, there, action="update", actor_id=None, actor=""))
    return events + await _approvals(desk, known, there, before.approvals.get(this, {}))


async def confirmed(
    desk: Desk, run: Run, told: MergeRequestChanged, *, path: str | None
) -> tuple[str, list[MergeRequestChanged]]:
    """Return the state of a merge request, and what a hook told of it, if GitLab says so and it is the run's.

    What only hooks tell is kept, such as who closed it.
    """
    there = await asyncio.to_thread(desk.repositories.merge_request, told.project_id, told.iid)
    this = (told.project_id, told.iid)
    is_known = any((one.project_id, one.iid) == this for one in run.merge_requests)
    if there.state != told.state or not (is_known or await _is_ours(desk, there, path=path, branch=run.branch)):
        return there.state, []
    head = told.head_sha if is_known else there.sha
    return there.state, [replace(told, head_sha=head, merge_commit_sha=there.merge_commit_sha)]


async def _is_ours(desk: Desk, there: MergeRequest, *, path: str | None, branch: str) -> bool:
    """Say whether we opened a merge request, of a branch in the project that GitLab has at a path of the run."""
    if path is None or (there.source_project_id, there.source_branch) != (there.project_id, branch):
        return False
    if there.author_id != await asyncio.to_thread(lambda: desk.repositories.bot):
        return False
    return (await asyncio.to_thread(desk.repositories.project, ProjectPath(path))).id == there.project_id


async def _approvals(
    desk: Desk, known: MergeRequestView, there: MergeRequest, heard: dict[int, Approval]
) -> list[Event]:
    """Tell of approvals that were taken back or given without a hook, and of which commit they are.

    A pipeline may wait for one. GitLab keeps an approval when the branch gets another commit, and an earlier run may
    have left one behind. So it is of the head only when it was given after the head was pushed; otherwise of no commit
    that is known.
    """
    if there.state != "opened":
        return []
    try:
        given, is_enough = await asyncio.to_thread(desk.repositories.approvals, known.project_id, known.iid)
        events: list[Event] = [
            _changed(known, there, action="unapproved", actor_id=user, actor=one.name)
            for user, one in heard.items()
            if user not in given
        ]
        if not is_enough or all(user in heard and heard[user].head_sha == there.sha for user in given):
            return events
        fresh = await asyncio.to_thread(given_after_push, desk, there)
    except RefusedError:  # this GitLab does not let us see them
        return []
    for user, name in given.items():
        head = there.sha if user in fresh else ""
        if user not in heard or (head and heard[user].head_sha != head):
            approval = _changed(known, there, action="approved", actor_id=user, actor=name)
            events.append(replace(approval, head_sha=head))
    return events


def given_after_push(desk: Desk, there: MergeRequest) -> frozenset[int]:
    """Return the users who approved after the head was pushed, by GitLab's times; unknown times do not count."""
    pushed = desk.repositories.pushed_at(there.project_id, there.iid, head=there.sha)
    times = desk.repositories.approved_at(there.project_id, there.iid)
    return frozenset(user for user, at in times.items() if pushed is not None and at > pushed)


def _merge_request(
    known: MergeRequestView, there: MergeRequest, theirs: dict[int, str], *, is_waited_for: bool
) -> list[Event]:
    pipeline = there.head_pipeline
    events: list[Event] = []
    if pipeline is not None and lifecycle.is_news(pipeline.status, theirs.get(pipeline.id)):
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
