"""What a push does to merge requests (MergeRequests::RefreshService): new diffs, moved notes, hooks.

A merge request whose source branch is gone is closed; one whose head came into its target by a push is merged.
"""

from sandbox.gitlab import activity, approval_resets, mergeable, positions, suggestions, threads
from sandbox.gitlab.background import Step
from sandbox.gitlab.merge_request_model import DiffRefs, DiffVersion, MergeRequest, Note, NoteType
from sandbox.gitlab.model import Project, Push, User
from sandbox.gitlab.repository import NULL_SHA, Repository
from sandbox.gitlab.state import State


async def refresh(state: State, push: Push, *, added: int) -> None:
    """Do all that a push to a branch does to merge requests, a moment later; `added` commits came."""
    await state.background.run(Step.DIFF_RELOAD, push.project, lambda: _refresh(state, push, added=added))


async def _refresh(state: State, push: Push, *, added: int) -> None:
    branch = push.ref.removeprefix("refs/heads/")
    for mr in [one for one in push.project.merge_requests.values() if one.state == "opened"]:
        if push.after == NULL_SHA:
            if mr.source_branch == branch:
                await close(state, push.project, mr, push.user)
        elif mr.target_branch == branch:
            await _target_moved(state, push, mr)
        elif mr.source_branch == branch:
            await _source_moved(state, push, mr, added=added)


async def close(state: State, project: Project, mr: MergeRequest, actor: User) -> None:
    """Close a merge request."""
    mr.state, mr.closed_at = "closed", state.now()
    mr.updated_at = mr.closed_at
    activity.system_note(state, mr, actor, "closed")
    await activity.merge_request_changed(state, project, mr, actor, action="close")


async def _target_moved(state: State, push: Push, mr: MergeRequest) -> None:
    if await _came_in(push, mr):
        await _merged_by_push(state, push, mr)
    else:
        mergeable.forget(mr)


async def _came_in(push: Push, mr: MergeRequest) -> bool:
    repository = Repository(push.project.repository)
    since = [] if push.before == NULL_SHA else [f"^{push.before}"]
    return mr.sha in {one.id for one in await repository.log(push.after, *since)}


async def _merged_by_push(state: State, push: Push, mr: MergeRequest) -> None:
    repository = Repository(push.project.repository)
    made = [one.id for one in await repository.log(push.after, f"^{mr.sha}") if mr.sha in one.parents]
    mr.merge_commit_sha = made[-1] if made else mr.sha
    mark_merged(state, mr, push.user)
    await activity.merge_request_changed(state, push.project, mr, push.user, action="merge")


def mark_merged(state: State, mr: MergeRequest, actor: User) -> None:
    """Take a merge request as merged; no hook."""
    now = state.now()
    mr.state, mr.merged_by_id, mr.merged_at, mr.updated_at, mr.merge_error = "merged", actor.id, now, now, None
    activity.system_note(state, mr, actor, "merged")


async def _source_moved(state: State, push: Push, mr: MergeRequest, *, added: int) -> None:
    await reload_diff(state, push.project, mr, push.user)
    await suggestions.outdate(push.project, mr)
    activity.system_note(state, mr, push.user, f"added {added} commit{'' if added == 1 else 's'}")
    await activity.merge_request_changed(state, push.project, mr, push.user, action="update", oldrev=push.before)
    await approval_resets.after_push(state, push.project, mr, push.user)


async def reload_diff(state: State, project: Project, mr: MergeRequest, actor: User) -> None:
    """Make the diff anew from where the branches stand, and move the notes on it along."""
    repository, old = Repository(project.repository), mr.refs
    head, target = await repository.branch(mr.source_branch), await repository.branch(mr.target_branch)
    if head is None or target is None:
        return
    base = await repository.merge_base(target, head) or target
    refs = DiffRefs(base_sha=base, start_sha=target, head_sha=head)
    mr.sha, mr.updated_at, mr.merge_error = head, state.now(), None
    mergeable.forget(mr)
    patch_id, number = await repository.patch_id(base, head), state.next_id("merge_request_diff")
    mr.versions.append(DiffVersion(id=number, refs=refs, created_at=mr.updated_at, patch_id=patch_id))
    mr.committers = frozenset(one.committer.email for one in await repository.log(head, f"^{base}"))
    if old is not None and old != refs:
        await _move_notes(state, project, mr, actor, old)


async def _move_notes(state: State, project: Project, mr: MergeRequest, actor: User, old: DiffRefs) -> None:
    active = [one for one in threads.threads(mr.notes) if one[0].position and one[0].position.refs == old]
    were_resolved = all(map(threads.is_resolved, active))
    for thread in active:
        await _move(state, project, mr, actor, thread)
    settles = project.settings.resolve_outdated_diff_discussions
    if settles and not were_resolved and threads.all_resolved(mr):
        await activity.all_threads_resolved(state, project, mr, actor)


async def _move(state: State, project: Project, mr: MergeRequest, actor: User, thread: list[Note]) -> None:
    """Move the notes of a thread to where their line is now; those whose line was changed stay (outdated)."""
    position = thread[0].position
    if thread[0].type is not NoteType.DIFF or position is None:
        return
    traced = await positions.trace(Repository(project.repository), position, mr.versions[-1].refs)
    if not traced.outdated:
        for note in thread:
            note.position, note.change_position = traced.position, None
        return
    for note in thread:
        note.change_position = traced.position
        if project.settings.resolve_outdated_diff_discussions and threads.to_be_resolved(note):
            note.resolved_by_id, note.resolved_at, note.resolved_by_push = actor.id, state.now(), True
    link = f"/{project.path_with_namespace}/-/merge_requests/{mr.iid}/diffs?diff_id={mr.versions[-1].id}"
    body = f"changed this line in [version {len(mr.versions)} of the diff]({link}&start_sha={position.refs.head_sha})"
    activity.add_reply(state, mr, actor, body, thread=thread, system=True)
