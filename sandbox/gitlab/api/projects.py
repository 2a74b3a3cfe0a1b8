"""Projects, their members, and the job token allowlist."""

import msgspec

from sandbox.gitlab import auth, entities
from sandbox.gitlab.api.given import names, number, parse, required
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import Access, State
from sandbox.http import HttpError, Request, Response, Route

NOT_FOUND = {"message": "404 Not found"}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Which project's job tokens to let in."""

    target_project_id: int


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    """A user and an access level."""

    access_level: int
    user_id: int | None = None
    username: str | None = None


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """An access level."""

    access_level: int


def listed(state: State, request: Request) -> Response:
    """List the projects that the user is a member of."""
    user = auth.subject(state, request).user
    wanted = request.arg("search").lower()
    level = int(request.arg("min_access_level", "10"))
    found = [
        one
        for one in state.projects.values()
        if state.access(user, one) >= level and wanted in one.path_with_namespace.lower()
    ]
    return page(request, found, lambda one: entities.project(state, one, user), base_url=state.url)


def get(state: State, request: Request) -> Response:
    """Give one project by id or full path."""
    project, user = auth.project(state, request)
    return Response.json(entities.project(state, project, user))


def members(state: State, request: Request) -> Response:
    """List members; there are no groups to inherit from, so `all` gives the same."""
    project, _ = auth.project(state, request)
    wanted = request.arg("query").lower()
    found = [
        user_id
        for user_id in project.members
        if wanted in f"{state.users[user_id].username} {state.users[user_id].name}".lower()
    ]
    return page(request, found, lambda user_id: entities.member(state, project, user_id), base_url=state.url)


def member(state: State, request: Request) -> Response:
    """Give one member; 404 for everyone else, administrators who are no member included."""
    project, _ = auth.project(state, request)
    user_id = number(request, "user_id")
    if user_id not in project.members:
        raise HttpError(404, NOT_FOUND)
    return Response.json(entities.member(state, project, user_id))


def add_member(state: State, request: Request) -> Response:
    """Add a member."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    new = parse(request, NewMember)
    user = state.users.get(new.user_id or 0) or state.user(new.username or "")
    if user is None:
        raise HttpError(404, {"message": "404 User Not Found"})
    if user.id in project.members:
        raise HttpError(409, {"message": "Member already exists"})
    project.members[user.id] = _level(new.access_level)
    return Response.json(entities.member(state, project, user.id), status=201)


def update_member(state: State, request: Request) -> Response:
    """Change a member's access level."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    user_id = number(request, "user_id")
    if user_id not in project.members:
        raise HttpError(404, NOT_FOUND)
    project.members[user_id] = _level(parse(request, Level).access_level)
    return Response.json(entities.member(state, project, user_id))


def remove_member(state: State, request: Request) -> Response:
    """Remove a member."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    if project.members.pop(number(request, "user_id"), None) is None:
        raise HttpError(404, NOT_FOUND)
    return Response(status=204)


def _level(value: int) -> Access:
    try:
        return Access(value)
    except ValueError as error:
        raise HttpError(400, {"error": "access_level does not have a valid value"}) from error


def job_token_scope(state: State, request: Request) -> Response:
    """Say whether the allowlist is enforced: always, as it is by default."""
    auth.project(state, request, Access.MAINTAINER)
    return Response.json({"inbound_enabled": True, "outbound_enabled": False})


def allowlist(state: State, request: Request) -> Response:
    """List the projects whose job tokens may come in; the project itself is one of them."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    found = [state.projects[one] for one in sorted({project.id, *project.job_token_allowlist})]
    return page(request, found, lambda one: entities.project_simple(state, one), base_url=state.url)


def allow(state: State, request: Request) -> Response:
    """Let another project's job tokens in."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    target = state.projects.get(parse(request, Target).target_project_id)
    if target is None:
        raise HttpError(404, {"message": "404 Project Not Found"})
    if target.id in project.job_token_allowlist:
        raise HttpError(422, {"message": "This project is already in the job token allowlist."})
    project.job_token_allowlist.add(target.id)
    link = {"source_project_id": project.id, "target_project_id": target.id}
    return Response.json(link, status=201)


def disallow(state: State, request: Request) -> Response:
    """Keep another project's job tokens out."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    target = number(request, "target_project_id")
    if target not in project.job_token_allowlist:
        raise HttpError(404, NOT_FOUND)
    project.job_token_allowlist.discard(target)
    return Response(status=204)


_PROJECT = "/api/v4/projects/:id"
ROUTES = (
    Route("GET", "/api/v4/projects", listed, query=("search", "membership", "min_access_level", "simple", *PAGE)),
    Route("GET", _PROJECT, get, query=("statistics", "license", "with_custom_attributes")),
    Route("GET", f"{_PROJECT}/members", members, query=("query", *PAGE)),
    Route("GET", f"{_PROJECT}/members/all", members, query=("query", *PAGE)),
    Route("GET", f"{_PROJECT}/members/all/:user_id", member),
    Route("GET", f"{_PROJECT}/members/:user_id", member),
    Route("POST", f"{_PROJECT}/members", add_member, params=names(NewMember), required=required(NewMember)),
    Route("PUT", f"{_PROJECT}/members/:user_id", update_member, required=names(Level)),
    Route("DELETE", f"{_PROJECT}/members/:user_id", remove_member),
    Route("GET", f"{_PROJECT}/job_token_scope", job_token_scope),
    Route("GET", f"{_PROJECT}/job_token_scope/allowlist", allowlist, query=PAGE),
    Route("POST", f"{_PROJECT}/job_token_scope/allowlist", allow, required=names(Target)),
    Route("DELETE", f"{_PROJECT}/job_token_scope/allowlist/:target_project_id", disallow),
)
