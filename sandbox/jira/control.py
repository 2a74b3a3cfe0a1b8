"""The whole state for tests, who is a customer, and comments forgotten, below `/_sandbox/`. Jira has no such routes."""

import json
from dataclasses import dataclass
from typing import Final

from sandbox.faults.request_faults import RequestLog
from sandbox.http import Request, Response, Route
from sandbox.jira.hooks import Deliverer
from sandbox.jira.issue_shape import FIELDS, issue_shape
from sandbox.jira.model import Issue, Json
from sandbox.jira.shapes import Shapes, timestamp
from sandbox.jira.site import Site


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the state is made of."""

    site: Site
    deliverer: Deliverer
    log: RequestLog


def dump(control: Control, _: Request) -> Response:
    """Give issues with all that is in them, webhooks with their deliveries, and the request log; no tokens."""
    site = control.site
    return Response.json(
        {
            "flavour": site.flavour.value,
            "users": [Shapes(site=site).person(person) for person in site.people.values()],
            "issues": {issue.key: _issue(site, issue) for issue in site.issues.values()},
            "hooks_idle": control.deliverer.idle,
            "deliveries": [
                {
                    "identifier": delivery.identifier,
                    "event": delivery.event,
                    "created": timestamp(delivery.created),
                    "finished": delivery.finished,
                    "attempts": [
                        {"at": timestamp(attempt.at), "status": attempt.status, "error": attempt.error}
                        for attempt in delivery.attempts
                    ],
                    "payload": json.loads(delivery.body),
                }
                for delivery in control.deliverer.deliveries
            ],
            "requests": control.log.dump(),
        }
    )


def _issue(site: Site, issue: Issue) -> Json:
    shapes = Shapes(site=site)
    return {
        **issue_shape(shapes, issue, fields=set(FIELDS), expand={"changelog"}),
        "remote_links": [shapes.link(issue, link) for link in issue.links.values()],
    }


def make_customer(control: Control, request: Request) -> Response:
    """Let a user be a customer of a service desk, or a user again: `{"username": …, "is_customer": …}`."""
    asked = request.fields()
    change = control.site.customers.add if asked["is_customer"] else control.site.customers.discard
    change(str(asked["username"]))
    return Response(status=204)


def keep_comments(control: Control, request: Request) -> Response:
    """Take all comments but `kept` off an issue, whoever wrote them, and tell nobody: tests share a site."""
    comments = control.site.issue(request.params["key"]).comments
    for gone in comments.keys() - set(request.fields()["kept"]):
        del comments[gone]
    return Response(status=204)


ROUTES: Final[tuple[Route[Control], ...]] = (
    Route("GET", "/_sandbox/state", dump),
    Route("PUT", "/_sandbox/comments/:key", keep_comments, required=("kept",)),
    Route("PUT", "/_sandbox/customers", make_customer, required=("username", "is_customer")),
)
