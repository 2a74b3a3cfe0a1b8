"""Branches: list, get, delete. A commit creates one."""

import re

import msgspec

from sandbox.gitlab import auth, entities, pushes
from sandbox.gitlab.api.given import names, parse, required
from sandbox.gitlab.model import Access, Project, Push, User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.repository import NULL_SHA, GitError, Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


async def listed(state: State, request: Request) -> Response:
    """List branches by name."""
    project, user = auth.project(state, request, Access.REPORTER)
    repository = Repository(project.repository)
    search, pattern = request.arg("search"), request.arg("regex")
    found = [
        (name, await repository.commit(sha))
        for name, sha in sorted((await repository.branches()).items())
        if matches(name, search) and (not pattern or re.search(pattern, name))
    ]
    level = state.access(user, project)
    return page(
        request, found, lambda one: entities.branch(state, project, one[0], one[1], level=level), base_url=state.url
    )


def matches(name: str, search: str) -> bool:
    """Search as GitLab does: `^term` for the beginning, `term$` for the end, else anywhere."""
    if search.startswith("^"):
        return name.startswith(search[1:])
    return name.endswith(search[:-1]) if search.endswith("$") else search in name


async def get(state: State, request: Request) -> Response:
    """Give one branch."""
    project, user = auth.project(state, request, Access.REPORTER)
    return await _answer(state, project, user, request.params["branch"], status=200)


async def _answer(state: State, project: Project, user: User, name: str, *, status: int) -> Response:
    repository = Repository(project.repository)
    sha = await repository.branch(name)
    if sha is None:
        raise HttpError(404, {"message": "404 Branch Not Found"})
    level = state.access(user, project)
    shape = entities.branch(state, project, name, await repository.commit(sha), level=level)
    return Response.json(shape, status=status)


async def create_ref(repository: Repository, branch: str, start: str) -> None:
    """Create a branch, or refuse its name as GitLab does."""
    try:
        await repository.git("check-ref-format", "--branch", branch)
        await repository.move(f"refs/heads/{branch}", new=start, old=NULL_SHA)
    except GitError as error:
        raise HttpError(400, {"message": "Branch name is invalid"}) from error


async def delete(state: State, request: Request) -> Response:
    """Delete a branch; protected branches and the default branch stay."""
    project, user = auth.project(state, request, Access.DEVELOPER)
    name = request.params["branch"]
    repository = Repository(project.repository)
    async with project.lock:
        sha = await repository.branch(name)
        if sha is None:
            raise HttpError(404, {"message": "404 Branch Not Found"})
        if name in project.protected_branches or name == project.default_branch:
            raise HttpError(403, {"message": "403 Forbidden - Cannot remove a protected or default branch"})
        await repository.move(f"refs/heads/{name}", new=NULL_SHA, old=sha)
        await pushes.pushed(
            state, Push(project=project, user=user, ref=f"refs/heads/{name}", before=sha, after=NULL_SHA)
        )
    return Response(status=204)


class Protection(msgspec.Struct, frozen=True, kw_only=True):
    """A branch to protect, as GitLab does by default: maintainers push and merge."""

    name: str


def protect(state: State, request: Request) -> Response:
    """Protect a branch (doc/api/protected_branches.md)."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    name = parse(request, Protection).name
    if name in project.protected_branches:
        raise HttpError(409, {"message": f"Protected branch '{name}' already exists"})
    project.protected_branches.add(name)
    levels = [{"access_level": int(Access.MAINTAINER), "access_level_description": "Maintainers"}]
    shape = {"name": name, "push_access_levels": levels, "merge_access_levels": levels, "allow_force_push": False}
    return Response.json({"id": state.next_id("protected_branch"), **shape}, status=201)


_BRANCHES = "/api/v4/projects/:id/repository/branches"
ROUTES = (
    Route("GET", _BRANCHES, listed, query=("search", "regex", *PAGE)),
    Route("GET", f"{_BRANCHES}/:branch", get),
    Route("DELETE", f"{_BRANCHES}/:branch", delete),
    Route(
        "POST",
        "/api/v4/projects/:id/protected_branches",
        protect,
        params=names(Protection),
        required=required(Protection),
    ),
)
