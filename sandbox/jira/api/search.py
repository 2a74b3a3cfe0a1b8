"""Routes of search: `search/jql` with its token on Cloud, `search` with offsets on Data Center."""

import base64
import binascii
from typing import Any, Final

from sandbox.http import Request, Response, Route
from sandbox.jira import jql
from sandbox.jira.auth import signed
from sandbox.jira.errors import bad_request, refusal
from sandbox.jira.issue_shape import chosen, expansions, issue_shape
from sandbox.jira.model import Person
from sandbox.jira.shapes import Shapes
from sandbox.jira.site import Site
from sandbox.scenario import Flavour

MOST: Final = 100


def search_jql(site: Site, request: Request, person: Person, shapes: Shapes) -> Response:
    """Return a page of issues; Cloud."""
    _only(site, Flavour.CLOUD)
    asked = _asked(request)
    query = jql.parse(asked.get("jql") or "", now=site.now(), user=person)
    if not query.bounded:
        raise bad_request("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    found = query.select(list(site.issues.values()))
    start, most = _token(asked.get("nextPageToken")), min(int(asked.get("maxResults") or 50), MOST)
    page = found[start : start + most]
    fields, expand = chosen(asked["fields"], default="id"), expansions(asked.get("expand") or "")
    answer: dict[str, Any] = {
        "issues": [issue_shape(shapes, issue, fields=fields, expand=expand) for issue in page],
        "isLast": start + most >= len(found),
    }
    if not answer["isLast"]:
        answer["nextPageToken"] = base64.urlsafe_b64encode(f"from={start + most}".encode()).decode()
    return Response.json(answer)


def search(site: Site, request: Request, person: Person, shapes: Shapes) -> Response:
    """Return a page of issues by offset; Data Center. Cloud has taken it away."""
    if site.flavour is Flavour.CLOUD:
        raise refusal(410, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
    asked = _asked(request)
    found = jql.parse(asked.get("jql") or "", now=site.now(), user=person).select(list(site.issues.values()))
    start, most = int(asked.get("startAt") or 0), min(int(asked.get("maxResults") or 50), 1000)
    fields, expand = chosen(asked["fields"], default="*navigable"), expansions(asked.get("expand") or "")
    return Response.json(
        {
            "expand": "schema,names",
            "startAt": start,
            "maxResults": most,
            "total": len(found),
            "issues": [
                issue_shape(shapes, issue, fields=fields, expand=expand) for issue in found[start : start + most]
            ],
        }
    )


def count(site: Site, request: Request, person: Person, _: Shapes) -> Response:
    """Return how many issues match; Cloud."""
    _only(site, Flavour.CLOUD)
    query = jql.parse(_asked(request).get("jql") or "", now=site.now(), user=person)
    return Response.json({"count": len(query.select(list(site.issues.values())))})


def _only(site: Site, flavour: Flavour) -> None:
    if site.flavour is not flavour:
        raise refusal(404, f"only a Jira of flavour {flavour.value} has this route")


def _asked(request: Request) -> dict[str, Any]:
    """Return the parameters, from the body of a POST or from the query."""
    if request.method == "POST":
        body = request.json()
        if not isinstance(body, dict):
            raise bad_request("the body must be a JSON object")
        fields = body.get("fields") or []
        return {**body, "fields": fields.split(",") if isinstance(fields, str) else fields}
    return {**{name: request.arg(name) for name, _ in request.query}, "fields": request.args("fields")}


def _token(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("from="))
    except (binascii.Error, ValueError) as error:
        raise bad_request("The provided next page token is invalid.") from error


_ASKED: Final = (
    "jql",
    "nextPageToken",
    "maxResults",
    "fields",
    "expand",
    "properties",
    "fieldsByKeys",
    "reconcileIssues",
)
_OLD: Final = ("jql", "startAt", "maxResults", "validateQuery", "fields", "expand", "properties", "fieldsByKeys")
ROUTES: Final[tuple[Route[Site], ...]] = (
    Route("GET", "/rest/api/:version/search/jql", signed(search_jql), query=(*_ASKED, "failFast")),
    Route("POST", "/rest/api/:version/search/jql", signed(search_jql), params=_ASKED),
    Route("POST", "/rest/api/:version/search/approximate-count", signed(count), params=("jql",)),
    Route("GET", "/rest/api/:version/search", signed(search), query=(*_OLD, "failFast")),
    Route("POST", "/rest/api/:version/search", signed(search), params=_OLD),
)
