"""Project hooks: what was delivered, and delivering it again. The seed sets them up."""

from sandbox.gitlab import auth, entities
from sandbox.gitlab.api.given import number
from sandbox.gitlab.hook_model import Hook, HookDelivery
from sandbox.gitlab.hooks import Deliverer
from sandbox.gitlab.model import Access, Project, User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


def _find(state: State, request: Request) -> tuple[Project, User, Hook]:
    project, user = auth.project(state, request, Access.MAINTAINER)
    hook = project.hooks.get(number(request, "hook_id"))
    if hook is None:
        raise HttpError(404, {"message": "404 Not found"})
    return project, user, hook


def listed(state: State, request: Request) -> Response:
    """List a project's hooks."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    now = state.now()
    return page(request, list(project.hooks.values()), lambda one: entities.hook(one, now=now), base_url=state.url)


def events(state: State, request: Request) -> Response:
    """List deliveries, newest first, by status if wanted: `successful`, `client_failure`, `server_failure`, a code."""
    _, _, hook = _find(state, request)
    wanted = request.args("status")
    found = [one for one in reversed(hook.deliveries) if not wanted or _has_status(one, wanted)]
    return page(request, found, lambda one: entities.hook_delivery(one, url=hook.url), base_url=state.url)


def _has_status(one: HookDelivery, wanted: list[str]) -> bool:
    status = one.response_status
    kinds = {"2": "successful", "4": "client_failure", "5": "server_failure", "i": "server_failure"}
    return status in wanted or kinds.get(status[:1]) in wanted


async def resend(deliverer: Deliverer, request: Request) -> Response:
    """Send a delivery again, with the same idempotency key."""
    _, _, hook = _find(deliverer.state, request)
    wanted = number(request, "hook_log_id")
    old = next((one for one in hook.deliveries if one.id == wanted), None)
    if old is None:
        raise HttpError(404, {"message": "404 Not found"})
    again = deliverer.record(hook, old.event, old.payload, event_uuid=old.uuid, key=old.idempotency_key)
    await deliverer.send(hook, again)
    return Response.json({"response_status": _status(again)}, status=201)


def _status(delivery: HookDelivery) -> int:
    return int(delivery.response_status) if delivery.response_status.isdecimal() else 500


_HOOKS = "/api/v4/projects/:id/hooks"
ROUTES = (
    Route("GET", _HOOKS, listed, query=PAGE),
    Route("GET", f"{_HOOKS}/:hook_id/events", events, query=("status", *PAGE)),
)
DELIVERER_ROUTES = (Route("POST", f"{_HOOKS}/:hook_id/events/:hook_log_id/resend", resend),)
