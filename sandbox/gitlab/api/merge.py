"""Merge a merge request, and rebase it: real commits, made by git, as the project's method has it.

The order of refusals is GitLab's (lib/api/merge_requests.rb of 19.1): 401 no right to, 409 another head, 405 for each
reason not to merge now, 422 when the merge itself fails.
"""

import msgspec

from sandbox.gitlab import landing, mergeable, merging, pushes, review
from sandbox.gitlab.api.given import names, parse
from sandbox.gitlab.api.merge_requests import answer, find
from sandbox.gitlab.background import Step
from sandbox.gitlab.landing import NotLanded
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Access, Project, Push, User
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route

REBASE_ERROR = "Rebase failed: Rebase locally, resolve all conflicts, then push the branch."


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """How to merge."""

    merge_commit_message: str | None = None
    should_remove_source_branch: bool | None = None
    sha: str | None = None
    """Merge only if this still is the head."""


class Rebase(msgspec.Struct, frozen=True, kw_only=True):
    """How to rebase."""

    skip_ci: bool = False


async def merge(state: State, request: Request) -> Response:
    """Merge, or refuse."""
    project, user, mr = find(state, request)
    how = parse(request, Merge)
    if not review.can_merge(state, project, mr, user):
        raise HttpError(401, {"message": "401 Unauthorized"})
    async with project.lock:
        if how.sha and how.sha != mr.sha:
            raise HttpError(409, {"message": f"SHA does not match HEAD of source branch: {mr.sha}"})
        if not await mergeable.can_merge_now(state, project, mr):
            raise HttpError(405, {"message": "405 Method Not Allowed"})
        try:
            await landing.land(
                state,
                project,
                mr,
                user,
                text=how.merge_commit_message,
                remove_source=how.should_remove_source_branch,
            )
        except NotLanded as error:
            raise HttpError(422, {"message": "Branch cannot be merged"}) from error
    return await answer(state, project, user, mr)


async def rebase(state: State, request: Request) -> Response:
    """Begin to rebase the source branch onto the target's head: 202, and what came of it is told by reading."""
    project, user, mr = find(state, request)
    how = parse(request, Rebase)
    source = await Repository(project.repository).branch(mr.source_branch)
    level = state.access(user, project)
    for refused, why in (
        (source is None, "Source branch does not exist"),
        (level < Access.DEVELOPER, "Cannot push to source branch"),
        (mr.source_branch in project.protected_branches, "Source branch is protected from force push"),
    ):
        if refused:
            raise HttpError(403, {"message": f"403 Forbidden - {why}"})
    if mr.state != "opened" or mr.rebase_in_progress:
        raise HttpError(409, {"message": "409 Conflict"})
    mr.rebase_in_progress = True
    async with project.lock:
        await state.background.run(Step.REBASE, project, lambda: _rebase(state, project, mr, user, how))
    return Response.json({"rebase_in_progress": True}, status=202)


async def _rebase(state: State, project: Project, mr: MergeRequest, user: User, how: Rebase) -> None:
    repository = Repository(project.repository)
    mr.rebase_in_progress = False
    head, onto = await repository.branch(mr.source_branch), await repository.branch(mr.target_branch)
    if head is None or onto is None:
        mr.merge_error = "Source branch does not exist"
        return
    base = await repository.merge_base(onto, head) or onto
    if base == onto:
        return
    new = await merging.rebased(repository, onto=onto, base=base, head=head, by=landing.identity(state, user))
    if new is None:
        mr.merge_error = REBASE_ERROR
        return
    ref = f"refs/heads/{mr.source_branch}"
    await repository.move(ref, new=new, old=head)
    await pushes.pushed(state, Push(project=project, user=user, ref=ref, before=head, after=new, skips_ci=how.skip_ci))


_MR = "/api/v4/projects/:id/merge_requests/:iid"
ROUTES = (
    Route("PUT", f"{_MR}/merge", merge, params=names(Merge)),
    Route("PUT", f"{_MR}/rebase", rebase, params=names(Rebase)),
)
