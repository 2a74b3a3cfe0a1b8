"""Hold a patch against the rules before it is committed. The job did so too, but a job is not trusted."""

from __future__ import annotations

from functools import cache, partial

from pipelines.language import CommitSha
from pipelines.language.catalogue import Policy, Repository
from pipelines.patch import PatchError, PatchSummary, examine, inspect
from pipelines.secrets import find_secrets
from receiver import limits
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError


def checked(desk: Desk, patch: bytes, base: CommitSha, *, repository: Repository, policy: Policy) -> PatchSummary:
    """Return what a patch touches. Raises RefusedError with what speaks against it for this commit."""
    project = desk.repositories.project(repository.project)

    @cache
    def before(path: str) -> bytes | None:
        return desk.repositories.file_if_any(project.id, path, ref=base)

    try:
        summary = inspect(patch)
        found = examine(
            summary,
            before,
            allowed=repository.paths_allowed,
            policy=policy,
            secrets=partial(find_secrets, allowed=repository.secrets_allowed),
        )
    except PatchError as error:
        raise RefusedError(str(error)) from error
    if found:
        raise RefusedError(" ".join(found[: limits.PATCH_PROBLEMS]))
    return summary
