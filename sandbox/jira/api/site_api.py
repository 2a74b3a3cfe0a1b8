"""Routes of the site: who am I, server information, users, groups, fields, project, permissions."""

import uuid
from collections.abc import Sequence
from html import escape
from typing import Final, assert_never

from sandbox.http import Request, Response, Route
from sandbox.jira.auth import anonymous, signed
from sandbox.jira.errors import bad_request, not_found, refusal
from sandbox.jira.issue_shape import FIELDS, expansions
from sandbox.jira.model import ISSUE_TYPES, PRIORITIES, RESOLUTIONS, Json, Person
from sandbox.jira.shapes import Shapes, timestamp
from sandbox.jira.site import Site
from sandbox.scenario import Flavour

PERMISSIONS: Final = {
    "BROWSE_PROJECTS": True,
    "CREATE_ISSUES": True,
    "EDIT_ISSUES": True,
    "ASSIGN_ISSUES": True,
    "TRANSITION_ISSUES": True,
    "ADD_COMMENTS": True,
    "EDIT_OWN_COMMENTS": True,
    "DELETE_OWN_COMMENTS": True,
    "EDIT_ALL_COMMENTS": False,
    "CREATE_ATTACHMENTS": True,
    "LINK_ISSUES": True,
    "USER_PICKER": True,
    "ADMINISTER_PROJECTS": False,
    "ADMINISTER": False,
}
"""What everybody here may do."""


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
    wanted = expansions(request.arg("expand"), {"groups", "applicationRoles"})
    return Response.json({**shapes.person(person), **_groups(shapes, person, wanted)})


def get_user(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return a user by account id (Cloud), or by name or key (Data Center)."""
    person = _wanted(site, request)
    return Response.json(
        {**shapes.person(person), **_groups(shapes, person, expansions(request.arg("expand"), {"groups"}))}
    )


def user_groups(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return the groups of a user; Cloud only."""
    if site.flavour is not Flavour.CLOUD:
        raise refusal(404, "a Data Center has no such route: read the user with expand=groups")
    return Response.json([_group(shapes, name) for name in _wanted(site, request).groups])


def search_users(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return the users whose name or email begins with the text."""
    name = "query" if site.flavour is Flavour.CLOUD else "username"
    text = (request.arg(name) or request.arg("query")).lower()
    if not text and not request.arg("accountId"):
        raise bad_request(f"The {name} must be provided")
    found = [
        person
        for person in site.people.values()
        if person.account_id == request.arg("accountId") or (text and _starts(person, text))
    ]
    start, most = int(request.arg("startAt", "0")), int(request.arg("maxResults", "50"))
    return Response.json([shapes.person(person) for person in found[start : start + most]])


def group_members(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return a page of a group's members."""
    name = _group_name(site, request)
    members = [person for person in site.people.values() if name in person.groups]
    start, most = int(request.arg("startAt", "0")), min(int(request.arg("maxResults", "50")), 50)
    page = members[start : start + most]
    return Response.json(
        {
            "self": shapes.url(f"group/member?groupname={name}"),
            "maxResults": most,
            "startAt": start,
            "total": len(members),
            "isLast": start + most >= len(members),
            "values": [shapes.person(person) for person in page],
        }
    )


def get_group(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return a group, its members with `expand=users`; the old route that `JIRA.group_members` uses."""
    name = _group_name(site, request)
    members = [person for person in site.people.values() if name in person.groups]
    users: Json = {"size": len(members), "max-results": 50, "start-index": 0, "end-index": len(members) - 1}
    users["items"] = [shapes.person(person) for person in members[:50]] if request.arg("expand") else []
    return Response.json({**_group(shapes, name), "users": users, "expand": "users"})


def pick_groups(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return the groups whose names hold a text."""
    names = [name for name in _all_groups(site) if request.arg("query").lower() in name.lower()]
    groups = [{**_group(shapes, name), "html": escape(name), "labels": []} for name in names]
    for group in groups:
        del group["self"]
    return Response.json(
        {"header": f"Showing {len(names)} of {len(names)} matching groups", "total": len(names), "groups": groups}
    )


def get_fields(_: Site, __: Request, ___: Person, ____: Shapes) -> Response:
    """Return all fields."""
    return Response.json(
        [
            {
                "id": field,
                "key": field,
                "name": name,
                "custom": False,
                "orderable": True,
                "navigable": field not in {"comment", "attachment"},
                "searchable": True,
                "clauseNames": [field],
                "schema": {"type": "string", "system": field},
            }
            for field, name in FIELDS.items()
        ]
    )


def get_projects(_: Site, __: Request, ___: Person, shapes: Shapes) -> Response:
    """Return all projects, which is one."""
    return Response.json([shapes.project()])


def get_project(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return the project with its issue types and components."""
    if request.params["key"] not in {site.project.key, site.project.id}:
        raise not_found(f"No project could be found with key '{request.params['key']}'.")
    return Response.json(
        {
            **shapes.project(),
            "issueTypes": [shapes.issue_type(one) for one in ISSUE_TYPES],
            "components": [shapes.named("component", one) for one in site.components.values()],
        }
    )


def get_statuses(site: Site, _: Request, __: Person, shapes: Shapes) -> Response:
    """Return the statuses."""
    return Response.json([shapes.status(status) for status in site.workflow.statuses])


def get_priorities(_: Site, __: Request, ___: Person, shapes: Shapes) -> Response:
    """Return the priorities."""
    return Response.json([shapes.named("priority", one) for one in PRIORITIES])


def get_resolutions(_: Site, __: Request, ___: Person, shapes: Shapes) -> Response:
    """Return the resolutions."""
    return Response.json([shapes.named("resolution", one) for one in RESOLUTIONS])


def get_issue_types(_: Site, __: Request, ___: Person, shapes: Shapes) -> Response:
    """Return the issue types."""
    return Response.json([shapes.issue_type(one) for one in ISSUE_TYPES])


def my_permissions(site: Site, request: Request, _: Person, __: Shapes) -> Response:
    """Return which of the named permissions the caller has."""
    wanted = [name for name in request.arg("permissions").split(",") if name]
    if not wanted and site.flavour is Flavour.CLOUD:
        raise bad_request("The 'permissions' query parameter is required.")
    unknown = sorted(set(wanted) - set(PERMISSIONS))
    if unknown:
        raise bad_request(f"Unrecognized permission(s): {', '.join(unknown)}")
    if request.arg("issueKey"):
        site.issue(request.arg("issueKey"))
    return Response.json(
        {
            "permissions": {
                name: {
                    "id": str(number),
                    "key": name,
                    "name": name.replace("_", " ").capitalize(),
                    "havePermission": has,
                }
                for number, (name, has) in enumerate(PERMISSIONS.items(), start=10)
                if not wanted or name in wanted
            }
        }
    )


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


def _starts(person: Person, text: str) -> bool:
    words: Sequence[str] = (*person.name.lower().split(), person.name.lower(), person.email.lower(), person.username)
    return any(word.startswith(text) for word in words)


def _groups(shapes: Shapes, person: Person, wanted: set[str]) -> Json:
    if "groups" not in wanted:
        return {}
    items = [_group(shapes, name) for name in person.groups]
    return {"groups": {"size": len(items), "items": items}}


def _group(shapes: Shapes, name: str) -> Json:
    group: Json = {"name": name, "self": shapes.url(f"group?groupname={name}")}
    if shapes.site.flavour is Flavour.CLOUD:
        group["groupId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{shapes.site.url}/{name}"))
    return group


def _all_groups(site: Site) -> list[str]:
    return sorted({name for person in site.people.values() for name in person.groups})


def _group_name(site: Site, request: Request) -> str:
    name, group_id = request.arg("groupname"), request.arg("groupId")
    for known in _all_groups(site):
        if name == known or (group_id and group_id == str(uuid.uuid5(uuid.NAMESPACE_URL, f"{site.url}/{known}"))):
            return known
    if not name and not group_id:
        raise bad_request("Either the 'groupname' or the 'groupId' query parameter must be provided")
    raise not_found(f"The group named '{name or group_id}' does not exist.")


_API: Final = "/rest/api/:version"
MEMBERS: Final = ("groupname", "groupId", "includeInactiveUsers", "startAt", "maxResults")
PERMISSION: Final = ("permissions", "projectKey", "projectId", "issueKey", "issueId")
SEARCH: Final = (
    "query",
    "username",
    "accountId",
    "startAt",
    "maxResults",
    "property",
    "includeActive",
    "includeInactive",
)
ROUTES: Final[tuple[Route[Site], ...]] = (
    Route("GET", f"{_API}/serverInfo", anonymous(server_info)),
    Route("GET", f"{_API}/myself", signed(myself), query=("expand",)),
    Route("GET", f"{_API}/user", signed(get_user), query=("accountId", "username", "key", "expand")),
    Route("GET", f"{_API}/user/groups", signed(user_groups), query=("accountId", "username", "key")),
    Route("GET", f"{_API}/user/search", signed(search_users), query=SEARCH),
    Route("GET", f"{_API}/group/member", signed(group_members), query=MEMBERS),
    Route("GET", f"{_API}/group", signed(get_group), query=("groupname", "groupId", "expand")),
    Route("GET", f"{_API}/groups/picker", signed(pick_groups), query=("query", "exclude", "maxResults")),
    Route("GET", f"{_API}/field", signed(get_fields)),
    Route("GET", f"{_API}/project", signed(get_projects), query=("expand", "recent")),
    Route("GET", f"{_API}/project/:key", signed(get_project), query=("expand",)),
    Route("GET", f"{_API}/status", signed(get_statuses)),
    Route("GET", f"{_API}/priority", signed(get_priorities)),
    Route("GET", f"{_API}/resolution", signed(get_resolutions)),
    Route("GET", f"{_API}/issuetype", signed(get_issue_types)),
    Route("GET", f"{_API}/mypermissions", signed(my_permissions), query=PERMISSION),
    Route("GET", "/rest/applinks/latest/listApplicationlinks", application_links),
)
