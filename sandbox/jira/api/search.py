"""Routes of search: `search/jql` with its token on Cloud, `search` with offsets on Data Center.

Of JQL only the query for tickets with a label is understood; any other is refused by name.
"""

import base64
import binascii
import re
from datetime import timedelta
from typing import Final

from sandbox.http import Request, Response, Route
from sandbox.jira.auth import signed
from sandbox.jira.errors import bad_request, refusal
from sandbox.jira.issue_shape import chosen, expansions, issue_shape
from sandbox.jira.model import Issue, Json, Person
from sandbox.jira.shapes import Shapes
from sandbox.jira.site import Site
from sandbox.scenario_format import Flavour

JQL: Final = re.compile(
    r'project = "([A-Z0-9_]+)" AND labels = "(\S+)" AND updated >= "-([0-9]+)m" ORDER BY updated ASC'
)
MOST: Final = 100


def search_jql(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return a page of issues; Cloud."""
    if site.flavour is not Flavour.CLOUD:
        raise refusal(404, "only a Jira Cloud has this route")
    found = _select(site, request.arg("jql"))
    start, most = _token(request.arg("nextPageToken")), _most(request, MOST)
    answer: Json = {"issues": _page(request, shapes, found[start : start + most], default="id")}
    answer["isLast"] = start + most >= len(found)
    if not answer["isLast"]:
        answer["nextPageToken"] = base64.urlsafe_b64encode(f"from={start + most}".encode()).decode()
    return Response.json(answer)


def search(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return a page of issues by offset; Data Center. Cloud has taken it away."""
    if site.flavour is Flavour.CLOUD:
        raise refusal(410, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
    found = _select(site, request.arg("jql"))
    start, most = int(request.arg("startAt") or 0), _most(request, 1000)
    page = _page(request, shapes, found[start : start + most], default="*navigable")
    return Response.json({"startAt": start, "maxResults": most, "total": len(found), "issues": page})


def _select(site: Site, jql: str) -> list[Issue]:
    asked = JQL.fullmatch(jql)
    if asked is None:
        raise bad_request(f"the sandbox does not understand this JQL: {jql}")
    since = site.now() - timedelta(minutes=int(asked[3]))
    found = [
        one
        for one in site.issues.values()
        if one.project.key == asked[1] and asked[2] in one.labels and one.updated >= since
    ]
    return sorted(found, key=lambda one: one.updated)


def _most(request: Request, limit: int) -> int:
    return request.page_of(int(request.arg("maxResults") or 50), limit)


def _page(request: Request, shapes: Shapes, found: list[Issue], *, default: str) -> list[Json]:
    fields, expand = chosen(request.args("fields"), default=default), expansions(request.arg("expand"))
    return [issue_shape(shapes, issue, fields=fields, expand=expand) for issue in found]


def _token(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("from=")) if token else 0
    except (binascii.Error, ValueError) as error:
        raise bad_request("The provided next page token is invalid.") from error


ROUTES: Final[tuple[Route[Site], ...]] = (
    Route(
        "GET",
        "/rest/api/2/search/jql",
        signed(search_jql),
        query=("jql", "nextPageToken", "maxResults", "fields", "expand"),
    ),
    Route(
        "GET",
        "/rest/api/2/search",
        signed(search),
        query=("jql", "startAt", "maxResults", "validateQuery", "fields", "expand"),
    ),
)
