"""Merge a merge request: a real merge commit on the target branch, made by git."""

import msgspec

from sandbox.gitlab import activity, pushes, review
from sandbox.gitlab.api.given import names, parse
from sandbox.gitlab.api.merge_requests import answer, find
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Access, Project, Push, User
from sandbox.gitlab.repository import NULL_SHA, Identity, Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """How to merge."""

    merge_commit_message: str | None = None
    should_remove_source_branch: bool | None = None
    sha: str | None = None
    """Merge only if this still is the head."""


async def merge(state: State, request: Request) -> Response:
    """Merge, or refuse: 401 no right to, 405 not open or a draft, 409 another head, 422 conflict."""
    project, user, mr = find(state, request)
    how = parse(request, Merge)
    needed = Access.MAINTAINER if mr.target_branch in project.protected_branches else Access.DEVELOPER
    if state.access(user, project) < needed:
        raise HttpError(401, {"message": "401 Unauthorized"})
    async with project.lock:
        if mr.state != "opened" or review.is_draft(mr.title):
            raise HttpError(405, {"message": "405 Method Not Allowed"})
        if how.sha and how.sha != mr.sha:
            raise HttpError(409, {"message": f"SHA does not match HEAD of source branch: {mr.sha}"})
        await _merge(state, project, mr, user, how)
    return await answer(state, project, user, mr)


async def _merge(state: State, project: Project, mr: MergeRequest, user: User, how: Merge) -> None:
    repository = Repository(project.repository)
    target = await repository.branch(mr.target_branch)
    tree = await repository.merge_tree(target, mr.sha) if target else None
    if target is None or tree is None:
        raise HttpError(422, {"message": "Branch cannot be merged"})
    identity = Identity(name=user.name, email=f"{user.username}@sandbox.invalid", at=state.now())
    message = how.merge_commit_message or (
        f"Merge branch '{mr.source_branch}' into '{mr.target_branch}'\n\n{mr.title}\n\n"
        f"See merge request {project.path_with_namespace}!{mr.iid}"
    )
    sha = await repository.write_commit(
        tree, parents=[target, mr.sha], message=message, author=identity, committer=identity
    )
    await repository.move(f"refs/heads/{mr.target_branch}", new=sha, old=target)
    now = state.now()
    mr.state, mr.merge_commit_sha, mr.merged_by_id, mr.merged_at, mr.updated_at = "merged", sha, user.id, now, now
    activity.system_note(state, mr, user, "merged")
    ref = f"refs/heads/{mr.target_branch}"
    await pushes.pushed(state, Push(project=project, user=user, ref=ref, before=target, after=sha))
    await activity.merge_request_changed(state, project, mr, user, action="merge")
    remove = how.should_remove_source_branch
    if mr.remove_source_branch if remove is None else remove:
        await _remove_source(state, project, mr, user)


async def _remove_source(state: State, project: Project, mr: MergeRequest, user: User) -> None:
    repository = Repository(project.repository)
    head = await repository.branch(mr.source_branch)
    if head is None or mr.source_branch in project.protected_branches:
        return
    ref = f"refs/heads/{mr.source_branch}"
    await repository.move(ref, new=NULL_SHA, old=head)
    await pushes.pushed(state, Push(project=project, user=user, ref=ref, before=head, after=NULL_SHA))


ROUTES = (Route("PUT", "/api/v4/projects/:id/merge_requests/:iid/merge", merge, params=names(Merge)),)
