"""A change set as the actions of one commit, and whether a commit of GitLab's holds just that."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.language.change_set import EXECUTABLE, PLAIN, ChangeSet, FileBefore, FileChange, blob_id
from receiver import limits
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.commits_api import Action, Commits


def actions_of(change: ChangeSet) -> tuple[Action, ...]:
    """Return what GitLab is asked to do. Raises RefusedError for more than one request may hold."""
    # What is deleted makes room: a folder may become a file.
    files = sorted(change.files, key=lambda file: file.after is not None)
    actions = tuple(action for file in files for action in _actions(file))
    size = sum(len(action.content) * 4 // 3 for action in actions if action.content is not None)
    if size > limits.COMMIT_BYTES:
        raise RefusedError(
            f"The fix has {size} bytes in base64; GitLab takes {limits.COMMIT_BYTES} in a commit. "
            "A person has to make it."
        )
    return actions


def _actions(file: FileChange) -> Iterator[Action]:
    after = file.after
    if after is None:
        yield Action(action="delete", path=file.path)
        return
    if file.before is None:
        yield Action(action="create", path=file.path, content=after.content)
    elif file.before.blob != blob_id(after.content):
        yield Action(action="update", path=file.path, content=after.content)
    if after.mode != (PLAIN if file.before is None else file.before.mode):
        yield Action(action="chmod", path=file.path, executable=after.mode == EXECUTABLE)


def fits(commits: Commits, project_id: int, change: ChangeSet, *, base: str) -> bool:
    """Say whether a commit has the files that a change set was made for, with their modes."""
    found = commits.entries(project_id, (file.path for file in change.files), ref=base)
    return found == {file.path: file.before for file in change.files if file.before is not None}


def holds(commits: Commits, project_id: int, change: ChangeSet, *, sha: str) -> bool:
    """Say whether a commit changes just the paths of a change set, each to the promised blob and mode."""
    paths = frozenset(file.path for file in change.files)
    if commits.changed_paths(project_id, sha) != paths:
        return False
    promised = {
        file.path: FileBefore(mode=file.after.mode, blob=blob_id(file.after.content))
        for file in change.files
        if file.after is not None
    }
    return commits.entries(project_id, paths, ref=sha) == promised
