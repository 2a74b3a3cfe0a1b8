"""Hold a change against the rules before it is committed. The job did so too, but a job is not trusted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

from msgspec import Struct

from pipelines.language import CommitSha
from pipelines.language.change_set import ChangeSet, ChangeSetError, read_change_set
from pipelines.language.policy import Policy
from pipelines.language.repository import Repository
from pipelines.patch import FolderEntry, ci_files, ci_setting, contents, examine, remarks
from pipelines.secrets import find_secrets
from receiver import limits
from receiver.outbound.effects import former_diff
from receiver.outbound.effects.commit_actions import fits
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.commits_api import Commits


class CheckedChange(Struct, frozen=True, kw_only=True):
    """A change set that may be committed."""

    change: ChangeSet
    remarks: tuple[str, ...]
    """What people are asked to look at, a sentence each."""


def checked(desk: Desk, data: bytes, base: CommitSha, *, repository: Repository, policy: Policy) -> CheckedChange:
    """Return a change set that may be committed, with remarks.

    Raises RefusedError with what speaks against it for this commit.
    """
    project = desk.repositories.project(repository.project)
    commit = _BaseCommit(desk.commits, project.id, base)
    ci = ci_setting(project.ci_config_path, project.path)
    try:
        change = _read(data, commit)
    except ChangeSetError as error:
        raise RefusedError(str(error)) from error
    found = examine(
        change,
        commit.file,
        folders=commit.entries,
        allowed=repository.paths_allowed,
        handwritten=repository.paths_handwritten,
        policy=policy,
        secrets=partial(find_secrets, allowed=repository.secrets_allowed),
        ci=ci,
    )
    if found:
        raise RefusedError(" ".join(found[: limits.PATCH_PROBLEMS]))
    if change.base_sha != base or not fits(change, commit.folder):
        raise RefusedError("The change was made for other files than the commit holds.")
    known = ci_files(commit.file, commit.entries, ci)
    return CheckedChange(change=change, remarks=remarks(contents(change.files, commit.file), known))


def handed_in(commits: Commits, project_id: int, data: bytes, *, base: CommitSha) -> ChangeSet:
    """Return the change that bytes from a job mean for a commit, unchecked. Raises ChangeSetError."""
    return _read(data, _BaseCommit(commits, project_id, base))


class _BaseCommit:
    """The commit that a change was made for, as GitLab tells of it; nothing is asked for twice."""

    def __init__(self, commits: Commits, project_id: int, sha: CommitSha) -> None:
        self.sha = sha
        self.file = cache(partial(commits.file, project_id, ref=sha))
        self.folder = cache(partial(commits.folder, project_id, ref=sha))

    def entries(self, folder: str) -> Iterator[FolderEntry]:
        """Yield the names in a folder."""
        return (FolderEntry(name=one.name, is_folder=one.is_folder) for one in self.folder(folder))

    def held(self, path: str) -> tuple[str, bytes] | None:
        """Return mode and content of a file; nothing is read by a name that the commit does not have."""
        above = path.rpartition("/")[0]
        entry = next((one for one in self.folder(above) if one.path == path and not one.is_folder), None)
        content = None if entry is None else self.file(path)
        return None if entry is None or content is None else (entry.mode, content)


def _read(data: bytes, base: _BaseCommit) -> ChangeSet:
    if former_diff.is_diff(data):
        return former_diff.change_set(data, base_sha=base.sha, base=base.held)
    return read_change_set(data)
