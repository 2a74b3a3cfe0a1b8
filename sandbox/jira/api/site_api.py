"""Routes of the site: server information, who asks, users with their groups."""

import uuid
from typing import Final, assert_never

from sandbox.http import Request, Response, Route
from sandbox.jira.auth import anonymous, signed
from sandbox.jira.errors import bad_request, not_found, refusal
from sandbox.jira.issue_shape import expansions
from sandbox.jira.model import Json, Person
from sandbox.jira.shapes import Shapes, timestamp
from sandbox.jira.site import Site
from sandbox.scenario_format import Flavour


def server_info(site: Site, _: Request, shapes: Shapes) -> Response:
    """Return versions; the only route for everybody."""
    shared = {
        "baseUrl": site.url,
        "buildDate": "2026-10-05T00:00:00.000+0000",
        "serverTime": timestamp(shapes.site.now()),
        "serverTitle": "Jira",
    }
    match site.flavour:
        case Flavour.CLOUD:
            facts = {"version": "1001.0.0-SNAPSHOT", "versionNumbers": [1001, 0, 0], "deploymentType": "Cloud"}
            return Response.json({**shared, **facts, "buildNumber": 100299, "displayUrl": site.url})
        case Flavour.DATA_CENTER:
            facts = {"version": "10.7.1", "versionNumbers": [10, 7, 1], "deploymentType": "Server"}
            return Response.json({**shared, **facts, "buildNumber": 10070001})
        case _:
            assert_never(site.flavour)


def myself(_: Site, request: Request, person: Person, shapes: Shapes) -> Response:
    """Return the person who asks."""
    return Response.json(_with_groups(shapes, person, request))


def get_user(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return a user by account id (Cloud), or by name or key (Data Center)."""
    return Response.json(_with_groups(shapes, _wanted(site, request), request))


def get_statuses(site: Site, _: Request, __: Person, shapes: Shapes) -> Response:
    """Return the statuses of the workflow with their categories."""
    return Response.json([shapes.status(one) for one in site.workflow.statuses])


def application_links(_: Site, __: Request) -> Response:
    """Refuse, as Jira does to everybody but administrators; `JIRA.add_remote_link` asks first and goes on."""
    raise refusal(403, "You don't have the permission to list application links.")


def _wanted(site: Site, request: Request) -> Person:
    match site.flavour:
        case Flavour.CLOUD:
            named = request.arg("accountId")
            found = [one for one in site.people.values() if one.account_id == named]
            missing = "The 'accountId' query parameter must be provided"
        case Flavour.DATA_CENTER:
            named = request.arg("username") or request.arg("key")
            found = [one for one in site.people.values() if named in {one.username, one.account_id}]
            missing = "Either the 'username' or the 'key' query parameters need to be provided"
        case _:
            assert_never(site.flavour)
    if not named:
        raise bad_request(missing)
    if not found:
        raise not_found(f"The user named '{named}' does not exist")
    return found[0]


def _with_groups(shapes: Shapes, person: Person, request: Request) -> Json:
    """Return a user, with the groups where `expand` asks for them."""
    if not expansions(request.arg("expand"), {"groups"}):
        return shapes.person(person)
    items = [_group(shapes, name) for name in person.groups]
    return {**shapes.person(person), "groups": {"size": len(items), "items": items}}


def _group(shapes: Shapes, name: str) -> Json:
    group: Json = {"name": name, "self": shapes.url(f"group?groupname={name}")}
    if shapes.site.flavour is Flavour.CLOUD:
        group["groupId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{shapes.site.url}/{name}"))
    return group


_API: Final = "/rest/api/2"
ROUTES: Final[tuple[Route[Site], ...]] = (
    Route("GET", f"{_API}/serverInfo", anonymous(server_info)),
    Route("GET", f"{_API}/myself", signed(myself), query=("expand",)),
    Route("GET", f"{_API}/user", signed(get_user), query=("accountId", "username", "key", "expand")),
    Route("GET", f"{_API}/status", signed(get_statuses)),
    Route("GET", "/rest/applinks/latest/listApplicationlinks", application_links),
)
