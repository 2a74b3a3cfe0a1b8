"""Routes of issues: read, create, change, transitions."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.http import Request, Response, Route
from sandbox.jira import fields as issue_fields
from sandbox.jira.auth import signed
from sandbox.jira.errors import bad_request
from sandbox.jira.issue_shape import chosen, expansions, issue_shape
from sandbox.jira.model import Change, Issue, Json, Person
from sandbox.jira.shapes import Shapes
from sandbox.jira.site import Site, issue_type, priority, resolution


def get_issue(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return an issue."""
    issue = site.issue(request.params["key"])
    wanted = chosen(request.args("fields"), default="*all")
    return Response.json(issue_shape(shapes, issue, fields=wanted, expand=expansions(request.arg("expand"))))


def create_issue(site: Site, request: Request, person: Person, shapes: Shapes) -> Response:
    """Create an issue; the caller is its reporter unless the request names one."""
    body = _object(request)
    fields: Json = dict(_mapping(body, "fields"))
    project = fields.pop("project", None)
    if not isinstance(project, dict) or not {project.get("key"), project.get("id")} & {
        site.project.key,
        site.project.id,
    }:
        raise bad_request(project="valid project is required")
    if "summary" not in fields:
        raise bad_request(summary="You must specify a summary of the issue.")
    now = site.now()
    number = 1 + max((int(key.rpartition("-")[2]) for key in site.issues), default=0)
    issue = Issue(
        id=site.next_id(),
        key=f"{site.project.key}-{number}",
        project=site.project,
        issuetype=issue_type(fields.pop("issuetype", None)),
        summary="",
        description="",
        status=site.workflow.statuses[0],
        priority=priority({"name": "Medium"}),
        reporter=person,
        creator=person,
        created=now,
        updated=now,
    )
    issue_fields.change(site, issue, fields=fields, update=_operations(body))
    site.add_issue(issue, by=person)
    return Response.json({"id": issue.id, "key": issue.key, "self": shapes.url(f"issue/{issue.id}")}, status=201)


def change_issue(site: Site, request: Request, person: Person, _: Shapes) -> Response:
    """Change fields; all of them or none."""
    issue = site.issue(request.params["key"])
    body = _object(request)
    update = _operations(body)
    _keep(site, issue, fields=_mapping(body, "fields"), update=update, by=person)
    return Response(status=204)


def get_transitions(site: Site, request: Request, _: Person, shapes: Shapes) -> Response:
    """Return the transitions that lead out of the issue's status."""
    issue = site.issue(request.params["key"])
    with_fields = "transitions.fields" in expansions(request.arg("expand"), {"transitions.fields"})
    wanted = request.arg("transitionId")
    offered = [one for one in site.workflow.offered(issue.status) if wanted in {"", one.id}]
    return Response.json(
        {"expand": "transitions", "transitions": [shapes.transition(one, with_fields=with_fields) for one in offered]}
    )


def do_transition(site: Site, request: Request, person: Person, _: Shapes) -> Response:
    """Do a transition; its required fields must be there."""
    issue = site.issue(request.params["key"])
    body = _object(request)
    wanted = str(_mapping(body, "transition").get("id", ""))
    if not wanted:
        raise bad_request("Missing 'transition' identifier")
    transition = next((one for one in site.workflow.offered(issue.status) if one.id == wanted), None)
    if transition is None:
        raise bad_request(f"Transition id '{wanted}' is not valid for this issue.")
    fields: Json = dict(_mapping(body, "fields"))
    update = _operations(body)
    missing = [name for name in transition.required if not fields.get(name) and not update.get(name)]
    if missing:
        raise bad_request(**{name: f"{name.capitalize()} is required." for name in missing})
    given = fields.pop("resolution", None)
    if given is not None and "resolution" not in transition.required:
        screen = "cannot be set. It is not on the appropriate screen, or unknown."
        raise bad_request(resolution=f"Field 'resolution' {screen}")
    chosen_resolution = None if given is None else resolution(given)
    draft = copy.copy(issue)
    changes = site.transition(draft, transition, resolution=chosen_resolution)
    _keep(site, issue, fields=fields, update=update, by=person, draft=draft, before=changes)
    return Response(status=204)


def _keep(
    site: Site,
    issue: Issue,
    *,
    fields: Json,
    update: Mapping[str, Sequence[Json]],
    by: Person,
    draft: Issue | None = None,
    before: Sequence[Change] = (),
) -> None:
    """Make all changes on a draft, so that a refusal leaves the issue as it was; then keep them."""
    draft = copy.copy(issue) if draft is None else draft
    changes = [*before, *issue_fields.change(site, draft, fields=fields, update=update)]
    vars(issue).update(vars(draft))
    site.apply(issue, changes, by=by)


def _object(request: Request) -> Json:
    body = request.json()
    if not isinstance(body, dict):
        raise bad_request("the body must be a JSON object")
    return body


def _mapping(body: Json, name: str) -> Json:
    value: Any = body.get(name) or {}
    if not isinstance(value, dict):
        raise bad_request(f"'{name}' must be an object")
    return value


def _operations(body: Json) -> dict[str, list[Json]]:
    update = _mapping(body, "update")
    for name, operations in update.items():
        if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
            raise bad_request(**{name: "the operations must be a list of objects"})
    return update


CHANGES: Final = ("fields", "update", "transition")
_ISSUE: Final = "/rest/api/2/issue"
ROUTES: Final[tuple[Route[Site], ...]] = (
    Route("GET", f"{_ISSUE}/:key", signed(get_issue), query=("fields", "expand")),
    Route("POST", _ISSUE, signed(create_issue), params=CHANGES),
    Route("PUT", f"{_ISSUE}/:key", signed(change_issue), params=CHANGES, query=("notifyUsers",)),
    Route("GET", f"{_ISSUE}/:key/transitions", signed(get_transitions), query=("expand", "transitionId")),
    Route("POST", f"{_ISSUE}/:key/transitions", signed(do_transition), params=CHANGES),
)
