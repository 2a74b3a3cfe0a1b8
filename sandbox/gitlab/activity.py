"""What follows when a ref moves, or a merge request or note changes: heads, system notes, hooks, the CI engine's cue.

Each function changes the state and emits; none checks permissions.
"""

import secrets
from collections.abc import Mapping

from sandbox.gitlab import note_payloads, payloads
from sandbox.gitlab.hook_model import Event
from sandbox.gitlab.merge_request_model import Award, MergeRequest, Note
from sandbox.gitlab.model import Project, Push, User
from sandbox.gitlab.repository import NULL_SHA, Commit, GitError, Repository
from sandbox.gitlab.state import State

MAX_COMMITS = 20
"""A push hook lists at most so many commits (webhook_events.md)."""


async def pushed(state: State, push: Push) -> None:
    """Tell everyone that a ref moved."""
    repository = Repository(push.project.repository)
    event = Event.TAG_PUSH if push.ref.startswith("refs/tags/") else Event.PUSH
    commits, total = await _pushed_commits(repository, push)
    state.emit(push.project, event, payloads.push(state, push, commits, total=total))
    for listener in state.on_push:
        listener(push)
    if push.after != NULL_SHA and push.ref.startswith("refs/heads/"):
        await _move_heads(state, repository, push, added=total)


async def _pushed_commits(repository: Repository, push: Push) -> tuple[list[payloads.CommitFiles], int]:
    if push.after == NULL_SHA or not push.ref.startswith("refs/heads/"):
        return [], 0
    base = push.before
    if base == NULL_SHA:
        default = await repository.branch(push.project.default_branch)
        base = default if default and default != push.after else ""
    revisions = [push.after, f"^{base}"] if base else [push.after]
    found = await repository.log(*revisions, limit=1000)
    return [await _with_files(repository, one) for one in reversed(found[:MAX_COMMITS])], len(found)


async def _with_files(repository: Repository, commit: Commit) -> payloads.CommitFiles:
    raw = await repository.git(
        "diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-status", "--no-renames", commit.id
    )
    fields = raw.decode("utf-8", "replace").split("\0")[:-1]
    touched = list(zip(fields[1::2], fields[::2], strict=True))
    return payloads.CommitFiles(
        commit=commit,
        added=tuple(path for path, status in touched if status == "A"),
        modified=tuple(path for path, status in touched if status in "MT"),
        removed=tuple(path for path, status in touched if status == "D"),
    )


async def _move_heads(state: State, repository: Repository, push: Push, *, added: int) -> None:
    """Give open merge requests of this branch their new head; each gets a system note and an `update` hook."""
    branch = push.ref.removeprefix("refs/heads/")
    for mr in push.project.merge_requests.values():
        if mr.state == "opened" and mr.source_branch == branch and mr.sha != push.after:
            oldrev, mr.sha = mr.sha, push.after
            target = await repository.branch(mr.target_branch)
            mr.base_sha = (await repository.merge_base(target, mr.sha) if target else None) or mr.base_sha
            mr.updated_at = state.now()
            mr.versions.append((mr.sha, mr.base_sha, mr.updated_at))
            system_note(state, mr, push.user, f"added {added} commit{'' if added == 1 else 's'}")
            await merge_request_changed(state, push.project, mr, push.user, action="update", oldrev=oldrev)


async def merge_request_changed(
    state: State,
    project: Project,
    mr: MergeRequest,
    actor: User,
    *,
    action: str,
    changes: Mapping[str, object] | None = None,
    oldrev: str | None = None,
) -> None:
    """Emit the hook of a merge request, and tell the CI engine."""
    payload = payloads.merge_request(
        state,
        project,
        mr,
        actor,
        action=action,
        head=await head(project, mr),
        changes=changes or {},
        oldrev=oldrev,
    )
    state.emit(project, Event.MERGE_REQUEST, payload)
    for listener in state.on_merge_request:
        listener(project, mr, actor, action)


async def note_changed(
    state: State, project: Project, mr: MergeRequest, note: Note, actor: User, *, action: str
) -> None:
    """Emit the hook of a note."""
    event = Event.CONFIDENTIAL_NOTE if note.internal else Event.NOTE
    state.emit(
        project,
        event,
        note_payloads.note(state, project, mr, note, actor, action=action, head=await head(project, mr)),
    )


async def award_changed(
    state: State, project: Project, mr: MergeRequest, note: Note | None, award: Award, actor: User, *, action: str
) -> None:
    """Emit the hook of an emoji: `award` or `revoke`."""
    at = await head(project, mr)
    payload = note_payloads.emoji(state, project, mr, note, award, actor, action=action, head=at)
    state.emit(project, Event.EMOJI, payload)


async def head(project: Project, mr: MergeRequest) -> Commit:
    """Give the head commit of a merge request."""
    try:
        return await Repository(project.repository).commit(mr.sha)
    except (GitError, IndexError):
        return await Repository(project.repository).commit(mr.base_sha)


def add_note(state: State, mr: MergeRequest, author: User, body: str, *, internal: bool = False) -> Note:
    """Add a note; no hook."""
    now = state.now()
    note = Note(
        id=state.next_id("note"),
        body=body,
        author_id=author.id,
        created_at=now,
        updated_at=now,
        discussion_id=secrets.token_hex(20),
        internal=internal,
    )
    mr.notes.append(note)
    return note


def system_note(state: State, mr: MergeRequest, author: User, body: str) -> None:
    """Add a note that GitLab writes itself; no hook, as in GitLab."""
    add_note(state, mr, author, body).system = True
