"""What follows when a ref moves, by git or by the API: the push hook, the CI engine's cue, and merge requests."""

from sandbox.gitlab import payloads, refresh
from sandbox.gitlab.hook_model import Event
from sandbox.gitlab.model import Push
from sandbox.gitlab.repository import NULL_SHA, Commit, Repository
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
    if push.ref.startswith("refs/heads/"):
        await refresh.refresh(state, push, added=total)


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
