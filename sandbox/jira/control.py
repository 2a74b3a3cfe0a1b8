"""The emulator's own routes below `/_sandbox/`: faults, and the whole state for tests. Jira has none of them."""

import json
from dataclasses import dataclass
from typing import Final

import msgspec

from sandbox.faults import RateLimit, RequestFault, RequestFaults, RequestLog
from sandbox.gitlab.hook_faults import HookFault, HookFaults
from sandbox.http import Body, HttpError, Request, Response, Route
from sandbox.jira.hooks import Deliverer
from sandbox.jira.issue_shape import FIELDS, issue_shape
from sandbox.jira.model import Issue, Json
from sandbox.jira.shapes import Shapes, timestamp
from sandbox.jira.site import Site


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /_sandbox/faults`; what is given is added to what is on."""

    requests: list[RequestFault] = []
    hooks: list[HookFault] = []
    """`project` is the Jira project's key here, `event` the `webhookEvent`."""
    rate_limit: RateLimit | None = None


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the control routes work on."""

    site: Site
    deliverer: Deliverer
    requests: RequestFaults
    hooks: HookFaults
    log: RequestLog


def add_faults(control: Control, request: Request) -> Response:
    """Turn switches on."""
    try:
        faults = msgspec.json.decode(request.body, type=Faults)
    except msgspec.DecodeError as error:
        raise HttpError(400, {"error": str(error)}) from error
    for one in faults.requests:
        control.requests.add(one)
    for hook in faults.hooks:
        control.hooks.add(hook)
    control.requests.rate_limit = faults.rate_limit or control.requests.rate_limit
    return list_faults(control, request)


def list_faults(control: Control, _: Request) -> Response:
    """List the switches that are on."""
    limit = control.requests.rate_limit
    return Response.json({"requests": control.requests.active(), "hooks": control.hooks.active(), "rate_limit": limit})


def clear_faults(control: Control, _: Request) -> Response:
    """Turn all switches off; hooks that waited behind others are sent."""
    control.requests.clear()
    control.hooks.clear()
    return Response(status=204)


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


ROUTES: Final[tuple[Route[Control], ...]] = (
    Route("POST", "/_sandbox/faults", add_faults, body=Body.FREE),
    Route("GET", "/_sandbox/faults", list_faults),
    Route("DELETE", "/_sandbox/faults", clear_faults),
    Route("GET", "/_sandbox/state", dump),
)
