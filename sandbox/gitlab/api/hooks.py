"""Project hooks: what was delivered, delivering it again, and tests. The seed sets them up.

Sources: lib/api/hooks/{events,trigger_test,resend_hook}.rb, app/services/web_hook_service.rb.
"""

from typing import Final

from sandbox.gitlab import auth, entities, payloads
from sandbox.gitlab.api.given import number
from sandbox.gitlab.hook_model import Event, Hook, HookDelivery
from sandbox.gitlab.hooks import Deliverer
from sandbox.gitlab.model import Access, Project, Push, User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route

EVENTS_PER_PAGE: Final = 20
KINDS: Final = {"2": "successful", "4": "client_failure", "5": "server_failure", "i": "server_failure"}
"""What a status is, by its first character: `internal error` is one."""


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
    """List deliveries, newest first, by status if wanted: words or codes, separated by commas."""
    _, _, hook = _find(state, request)
    size = request.arg("per_page", str(EVENTS_PER_PAGE))
    if not size.isdecimal() or not 1 <= int(size) <= EVENTS_PER_PAGE:
        raise HttpError(400, {"error": "per_page does not have a valid value"})
    wanted = [one for text in request.args("status") for one in text.split(",")]
    if not {one for one in wanted if not one.isdecimal()} <= {*KINDS.values()}:
        raise HttpError(400, {"error": "status does not have a valid value"})
    sent = [one for one in reversed(hook.deliveries) if one.response_status != "pending"]
    found = [one for one in sent if not wanted or _has_status(one, wanted)]
    return page(request, found, lambda one: entities.hook_delivery(one, url=hook.url), base_url=state.url)


def _has_status(one: HookDelivery, wanted: list[str]) -> bool:
    status = one.response_status
    return status in wanted or KINDS.get(status[:1]) in wanted


async def test(deliverer: Deliverer, request: Request) -> Response:
    """Send a sample, also to a hook that is switched off: an answer of 2xx switches it on."""
    project, user, hook = _find(deliverer.state, request)
    if request.params["trigger"] != "push_events":
        raise HttpError(400, {"error": "trigger does not have a valid value: only push_events is emulated"})
    _count(deliverer, "test", project, user)
    head = await Repository(project.repository).branch(project.default_branch)
    if head is None:
        raise HttpError(422, {"message": "Ensure the project has at least one commit."})
    sample = Push(project=project, user=user, ref=f"refs/heads/{project.default_branch}", before=head, after=head)
    sent = deliverer.record(hook, Event.PUSH, payloads.push(deliverer.state, sample, [], total=0))
    await deliverer.send(hook, sent)
    if not sent.response_status.startswith("2"):
        raise HttpError(422, {"message": sent.response_body})
    return Response.json({"message": "201 Created"}, status=201)


async def resend(deliverer: Deliverer, request: Request) -> Response:
    """Send a delivery again, with the same idempotency key."""
    project, user, hook = _find(deliverer.state, request)
    _count(deliverer, "resend", project, user)
    wanted = number(request, "hook_log_id")
    old = next((one for one in hook.deliveries if one.id == wanted), None)
    if old is None:
        raise HttpError(404, {"message": "404 Not found"})
    if hook.alert_status(deliverer.state.now()) != "executable":
        raise HttpError(422, {"message": "Hook disabled"})
    again = deliverer.record(hook, old.event, old.payload, event_uuid=old.uuid, key=old.idempotency_key)
    await deliverer.send(hook, again)
    if not again.response_status.isdecimal():
        raise HttpError(422, {"message": again.response_body})
    return Response.json({"response_status": int(again.response_status)}, status=201)


def _count(deliverer: Deliverer, what: str, project: Project, user: User) -> None:
    if not deliverer.count(what, project, user):
        sentence = "This endpoint has been requested too many times. Try again later."
        raise HttpError(429, {"message": {"error": sentence}})


_HOOKS = "/api/v4/projects/:id/hooks"
ROUTES = (
    Route("GET", _HOOKS, listed, query=PAGE),
    Route("GET", f"{_HOOKS}/:hook_id/events", events, query=("status", *PAGE)),
)
DELIVERER_ROUTES = (
    Route("POST", f"{_HOOKS}/:hook_id/test/:trigger", test),
    Route("POST", f"{_HOOKS}/:hook_id/events/:hook_log_id/resend", resend),
)
