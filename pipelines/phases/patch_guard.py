"""Guards on a patch, outside of the model: the pure examination, against the commit that the patch was made for."""

from __future__ import annotations

from functools import cache, partial

from pipelines.job.workspace.job import Job
from pipelines.job.workspace.repositories import read_file
from pipelines.language.catalogue import Policy, Repository
from pipelines.language.wire import MAX_BLOB
from pipelines.patch import Base, PatchSummary, examine
from pipelines.secrets import find_secrets


def guarded(summary: PatchSummary, job: Job) -> tuple[str, ...]:
    """Return why a patch of this job's repository is refused, a sentence each."""
    source = job.source

    @cache
    def base(path: str) -> bytes | None:
        return read_file(source, path)

    return held_against(summary, base, repository=job.repository, policy=job.spec.catalogue.policy)


def held_against(summary: PatchSummary, base: Base, *, repository: Repository, policy: Policy) -> tuple[str, ...]:
    """Return why a patch is refused, a sentence each."""
    if summary.size > MAX_BLOB:  # said alone: nobody reads the rest of so much
        return (f"The patch has {summary.size} bytes; {MAX_BLOB} can be submitted.",)
    return examine(
        summary,
        base,
        allowed=repository.paths_allowed,
        policy=policy,
        secrets=partial(find_secrets, allowed=repository.secrets_allowed),
    )
