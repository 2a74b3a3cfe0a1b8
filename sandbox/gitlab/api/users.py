"""Users."""

from sandbox.gitlab import auth, entities
from sandbox.gitlab.api.given import number
from sandbox.gitlab.model import User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


def current(state: State, request: Request) -> Response:
    """Give the user whose token is used."""
    return Response.json(entities.current_user(state, auth.subject(state, request).user))


def get(state: State, request: Request) -> Response:
    """Give a user by id."""
    auth.subject(state, request)
    found = state.users.get(number(request, "user_id"))
    if found is None:
        raise HttpError(404, {"message": "404 User Not Found"})
    return Response.json(entities.user(state, found))


def listed(state: State, request: Request) -> Response:
    """Find users by username or by a part of their names."""
    auth.subject(state, request)
    wanted, search = request.arg("username").lower(), request.arg("search").lower()
    found = [
        one
        for one in state.users.values()
        if (not wanted or one.username.lower() == wanted) and (not search or _is_found(one, search))
    ]
    return page(request, found, lambda one: entities.user(state, one), base_url=state.url)


def _is_found(one: User, search: str) -> bool:
    """Find by a part of the names, or by the whole e-mail address."""
    if "@" in search:
        return search == entities.address(one)
    return search in one.username.lower() or search in one.name.lower()


def block(state: State, request: Request) -> Response:
    """Keep a user out, or let one in again; administrators may."""
    if not auth.subject(state, request).user.admin:
        raise HttpError(403, {"message": "403 Forbidden"})
    found = state.users.get(number(request, "user_id"))
    if found is None:
        raise HttpError(404, {"message": "404 User Not Found"})
    found.state = "blocked" if request.path.endswith("/block") else "active"
    return Response.json(True, status=201)  # noqa: FBT003  # it is what GitLab answers


def group_members(state: State, request: Request) -> Response:
    """Refuse: there are no groups here."""
    auth.subject(state, request)
    raise HttpError(404, {"message": "404 Group Not Found"})


ROUTES = (
    Route("GET", "/api/v4/user", current),
    Route("GET", "/api/v4/users", listed, query=("username", "search", *PAGE)),
    Route("GET", "/api/v4/users/:user_id", get),
    Route("POST", "/api/v4/users/:user_id/block", block),
    Route("POST", "/api/v4/users/:user_id/unblock", block),
    Route("GET", "/api/v4/groups/:id/members", group_members, query=PAGE),
)
