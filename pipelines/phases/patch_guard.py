"""Guards on a patch, outside of the model: the pure examination, against the commit that the patch was made for."""

from __future__ import annotations

from functools import cache

from pipelines.job.workspace.job import Job
from pipelines.job.workspace.repositories import read_file
from pipelines.language.catalogue import Policy, Repository
from pipelines.language.wire import MAX_BLOB
from pipelines.patch import Base, Examination, PatchSummary, examine


def guarded(summary: PatchSummary, job: Job) -> Examination:
    """Return what is held against a patch of this job's repository, a sentence each."""
    source = job.source

    @cache
    def base(path: str) -> bytes | None:
        return read_file(source, path)

    return held_against(summary, base, repository=job.repository, policy=job.spec.catalogue.policy)


def held_against(summary: PatchSummary, base: Base, *, repository: Repository, policy: Policy) -> Examination:
    """Return why the patch is refused, and what a reviewer should look at, a sentence each."""
    if summary.size > MAX_BLOB:  # said alone: nobody reads the rest of so much
        sentence = f"The patch has {summary.size} bytes; {MAX_BLOB} can be submitted."
        return Examination(refused=(sentence,), noticed=())
    return examine(summary, base, allowed=repository.paths_allowed, policy=policy)
