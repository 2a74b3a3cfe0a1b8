"""The instance's version, and users."""

from sandbox.gitlab import auth, entities
from sandbox.gitlab.api.given import number
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import VERSION, State
from sandbox.http import HttpError, Request, Response, Route


def version(state: State, request: Request) -> Response:
    """Give the version that is emulated."""
    auth.subject(state, request)
    return Response.json({"version": VERSION, "revision": "sandbox"})


def metadata(state: State, request: Request) -> Response:
    """Give the instance's metadata."""
    auth.subject(state, request)
    return Response.json(
        {
            "version": VERSION,
            "revision": "sandbox",
            "kas": {"enabled": False, "externalUrl": None, "version": None},
            "enterprise": False,
        }
    )


def current(state: State, request: Request) -> Response:
    """Give the user whose token is used."""
    return Response.json(entities.current_user(state, auth.subject(state, request).user))


def get(state: State, request: Request) -> Response:
    """Give one user by id."""
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
        if (not wanted or one.username.lower() == wanted)
        and (not search or search in one.username.lower() or search in one.name.lower())
    ]
    return page(request, found, lambda one: entities.user(state, one), base_url=state.url)


ROUTES = (
    Route("GET", "/api/v4/version", version),
    Route("GET", "/api/v4/metadata", metadata),
    Route("GET", "/api/v4/user", current),
    Route("GET", "/api/v4/users", listed, query=("username", "search", *PAGE)),
    Route("GET", "/api/v4/users/:user_id", get),
)
