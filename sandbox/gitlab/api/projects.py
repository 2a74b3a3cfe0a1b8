"""Projects and their members."""

import msgspec

from sandbox.gitlab import auth, entities
from sandbox.gitlab.api.given import names, number, parse
from sandbox.gitlab.model import Access, MergeMethod
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route

NOT_FOUND = {"message": "404 Not found"}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a project that can be changed here; what is given is changed."""

    ci_config_path: str | None = None
    merge_method: MergeMethod | None = None
    only_allow_merge_if_pipeline_succeeds: bool | None = None
    allow_merge_on_skipped_pipeline: bool | None = None
    merge_pipelines_enabled: bool | None = None
    merge_trains_enabled: bool | None = None
    only_allow_merge_if_all_discussions_are_resolved: bool | None = None
    resolve_outdated_diff_discussions: bool | None = None


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """An access level."""

    access_level: int


def get(state: State, request: Request) -> Response:
    """Give one project by id or full path."""
    project, user = auth.project(state, request)
    return Response.json(entities.project(state, project, user))


def update(state: State, request: Request) -> Response:
    """Change a project's settings."""
    project, user = auth.project(state, request, Access.MAINTAINER)
    for name, value in msgspec.structs.asdict(parse(request, Settings)).items():
        if value is not None:
            setattr(project.settings if hasattr(project.settings, name) else project, name, value)
    return Response.json(entities.project(state, project, user))


def members(state: State, request: Request) -> Response:
    """List members; there are no groups to inherit from."""
    project, _ = auth.project(state, request)
    return page(
        request, list(project.members), lambda user_id: entities.member(state, project, user_id), base_url=state.url
    )


def member(state: State, request: Request) -> Response:
    """Give one member; 404 for everyone else, administrators who are no member included."""
    project, _ = auth.project(state, request)
    user_id = number(request, "user_id")
    if user_id not in project.members:
        raise HttpError(404, NOT_FOUND)
    return Response.json(entities.member(state, project, user_id))


def update_member(state: State, request: Request) -> Response:
    """Change a member's access level."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    user_id = number(request, "user_id")
    if user_id not in project.members:
        raise HttpError(404, NOT_FOUND)
    project.members[user_id] = _level(parse(request, Level).access_level)
    return Response.json(entities.member(state, project, user_id))


def _level(value: int) -> Access:
    try:
        return Access(value)
    except ValueError as error:
        raise HttpError(400, {"error": "access_level does not have a valid value"}) from error


_PROJECT = "/api/v4/projects/:id"
ROUTES = (
    Route("GET", _PROJECT, get, query=("statistics", "license", "with_custom_attributes")),
    Route("PUT", _PROJECT, update, params=names(Settings)),
    Route("GET", f"{_PROJECT}/members", members, query=PAGE),
    Route("GET", f"{_PROJECT}/members/all", members, query=PAGE),
    Route("GET", f"{_PROJECT}/members/all/:user_id", member),
    Route("GET", f"{_PROJECT}/members/:user_id", member),
    Route("PUT", f"{_PROJECT}/members/:user_id", update_member, required=names(Level)),
)
