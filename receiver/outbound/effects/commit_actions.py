"""A change set as the actions of one commit, whether a commit of GitLab's holds just that, and what a branch lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from msgspec.structs import replace

from pipelines.language import CommitSha
from pipelines.language.change_set import EXECUTABLE, PLAIN, ChangeSet, FileAfter, FileBefore, FileChange, blob_id
from receiver import limits
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.commits_api import Action, Commits, TreeEntry


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


def guarded(actions: Iterable[Action], last_change: Callable[[str], str]) -> tuple[Action, ...]:
    """Return the actions so that GitLab refuses them for files that somebody has changed since."""
    made: set[str] = set()
    found = []
    for action in actions:
        if action.action == "create":
            made.add(action.path)
        is_there = action.path not in made
        found.append(replace(action, last_change=last_change(action.path)) if is_there else action)
    return tuple(found)


Tree = Callable[[str], Iterable[TreeEntry]]
"""Returns what a folder of a commit holds; the root is empty."""


def fits(change: ChangeSet, base: Tree) -> bool:
    """Say whether a commit has the files that a change set was made for, with their modes."""
    found = _files(base, (file.path for file in change.files))
    return found == {file.path: file.before for file in change.files if file.before is not None}


def holds(commits: Commits, project_id: int, change: ChangeSet, *, sha: str) -> bool:
    """Say whether a commit changes just the paths of a change set, each to the promised blob and mode."""
    paths = frozenset(file.path for file in change.files)
    if commits.changed_paths(project_id, sha) != paths:
        return False
    promised = {file.path: after for file in change.files if (after := _as_before(file.after)) is not None}
    return _files(partial(commits.folder, project_id, ref=sha), paths) == promised


def lacking(
    commits: Commits, project_id: int, change: ChangeSet, *, base: CommitSha, head: CommitSha, touched: Iterable[str]
) -> ChangeSet:
    """Return what has to be changed at `head` so that it differs from `base` by the change set and nothing else.

    `touched` are the paths that differ between the two as it is.
    """
    wanted = {file.path: file.after for file in change.files}
    paths = frozenset(touched) | wanted.keys()
    there = _files(partial(commits.folder, project_id, ref=head), paths)
    before = _files(partial(commits.folder, project_id, ref=base), paths)

    def of_base(path: str) -> FileAfter | None:
        content = commits.file(project_id, path, ref=base) if path in before else None
        return None if content is None else FileAfter(mode=before[path].mode, content=content)

    files = []
    for path in sorted(paths):
        if path not in wanted and there.get(path) == before.get(path):
            continue
        after = wanted[path] if path in wanted else of_base(path)
        if there.get(path) != _as_before(after):
            files.append(FileChange(path=path, before=there.get(path), after=after))
    return ChangeSet(base_sha=head, files=tuple(files))


def _as_before(after: FileAfter | None) -> FileBefore | None:
    return None if after is None else FileBefore(mode=after.mode, blob=blob_id(after.content))


def _files(tree: Tree, paths: Iterable[str]) -> dict[str, FileBefore]:
    """Return mode and blob of those of the paths at which a commit has files."""
    wanted = frozenset(paths)
    folders = sorted({path.rpartition("/")[0] for path in wanted})
    entries = (one for folder in folders for one in tree(folder))
    return {
        one.path: FileBefore(mode=one.mode, blob=one.id) for one in entries if one.path in wanted and not one.is_folder
    }
