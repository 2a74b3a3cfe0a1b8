"""Hold a change against the rules before it is committed. The job did so too, but a job is not trusted."""

from __future__ import annotations

from functools import cache, partial

from pipelines.language import CommitSha
from pipelines.language.catalogue import Policy, Repository
from pipelines.language.change_set import ChangeSet, ChangeSetError, read_change_set
from pipelines.patch import examine
from pipelines.secrets import find_secrets
from receiver import limits
from receiver.outbound.effects.commit_actions import fits
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError


def checked(desk: Desk, data: bytes, base: CommitSha, *, repository: Repository, policy: Policy) -> ChangeSet:
    """Return a change set that may be committed. Raises RefusedError with what speaks against it for this commit."""
    project = desk.repositories.project(repository.project)

    @cache
    def before(path: str) -> bytes | None:
        return desk.commits.file(project.id, path, ref=base)

    try:
        change = read_change_set(data)
    except ChangeSetError as error:
        raise RefusedError(str(error)) from error
    found = examine(
        change,
        before,
        allowed=repository.paths_allowed,
        policy=policy,
        secrets=partial(find_secrets, allowed=repository.secrets_allowed),
    )
    if found:
        raise RefusedError(" ".join(found[: limits.PATCH_PROBLEMS]))
    if change.base_sha != base or not fits(desk.commits, project.id, change, base=base):
        raise RefusedError("The change was made for other files than the commit holds.")
    return change
