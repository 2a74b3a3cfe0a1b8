"""Rules for a change, applied outside of the model: the pure examination, against the commit that it was made for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial

from pipelines.job.workspace.job import Job
from pipelines.job.workspace.repositories import read_file, read_tree
from pipelines.language.change_set import ChangeSet, ChangeSetError, write_change_set
from pipelines.language.policy import Policy
from pipelines.language.repository import Repository
from pipelines.language.wire import MAX_BLOB
from pipelines.patch import Base, ChangeSize, FolderEntry, Folders, contents, examine, folders_of, size_of
from pipelines.secrets import find_secrets


def base_of(job: Job) -> Base:
    """Return what reads the base commit of the job's repository; each file is read once."""
    source = job.source

    @cache
    def base(path: str) -> bytes | None:
        return read_file(source, path)

    return base


def folders_in(job: Job) -> Folders:
    """Return what lists folders of that base commit; its tree is read once, and only when a folder is asked for."""

    @cache
    def tree() -> Folders:
        return folders_of(read_tree(job.source))

    def folders(folder: str) -> Iterable[FolderEntry]:
        return tree()(folder)

    return folders


def guarded(change: ChangeSet, job: Job) -> tuple[str, ...]:
    """Return why a change of this job's repository is refused, a sentence each."""
    policy = job.spec.catalogue.policy
    return held_against(change, base_of(job), folders=folders_in(job), repository=job.repository, policy=policy)


def measured(change: ChangeSet, job: Job) -> ChangeSize:
    """Return how large a change is, for people; lines that can't be compared are not counted."""
    try:
        return size_of(contents(change.files, base_of(job)))
    except ChangeSetError:
        return ChangeSize(files=len(change.files), insertions=0, deletions=0)


def held_against(
    change: ChangeSet, base: Base, *, folders: Folders, repository: Repository, policy: Policy
) -> tuple[str, ...]:
    """Return why a change is refused, a sentence each."""
    size = len(write_change_set(change))
    if size > MAX_BLOB:  # said alone: nobody reads the rest of so much
        return (f"The change has {size} bytes; {MAX_BLOB} can be submitted.",)
    return examine(
        change,
        base,
        folders=folders,
        allowed=repository.paths_allowed,
        handwritten=repository.paths_handwritten,
        policy=policy,
        secrets=partial(find_secrets, allowed=repository.secrets_allowed),
    )
