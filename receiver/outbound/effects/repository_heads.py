"""Which commit each repository of a catalogue stands on; one that can't be read is left out and stops no other."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pipelines.language import CommitSha, ProjectPath
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.repositories_api import Project, Repositories


class Heads(Struct, frozen=True, kw_only=True):
    """What was read of a catalogue's repositories."""

    shas: dict[ProjectPath, CommitSha]
    left_out: dict[ProjectPath, str]
    """Why a repository can't be fixed now, a sentence for people: gone, archived, not visible to our bot, empty."""


def read_heads(repositories: Repositories, commits: Commits, paths: Iterable[ProjectPath]) -> Heads:
    """Return the heads of the default branches. Raises UnavailableError when GitLab can be asked again."""
    shas: dict[ProjectPath, CommitSha] = {}
    left_out: dict[ProjectPath, str] = {}
    seen: dict[int, ProjectPath] = {}
    for path in paths:
        try:
            project = repositories.project(path)
            head = _head(commits, path, project)
        except RefusedError as error:
            left_out[path] = str(error)
            continue
        if seen.setdefault(project.id, path) == path:
            shas[path] = head
        else:
            left_out[path] = f"{path} is {seen[project.id]} under an earlier or later name."
    return Heads(shas=shas, left_out=left_out)


def _head(commits: Commits, path: ProjectPath, project: Project) -> CommitSha:
    if project.is_archived:
        raise RefusedError(f"{path} is archived, so nothing can be committed to it.")
    head = commits.head(project.id, project.default_branch)
    if head is None:
        raise RefusedError(f"{path} has no commit on its default branch {project.default_branch}.")
    return CommitSha(head.sha)
