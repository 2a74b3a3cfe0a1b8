"""Project hooks: create, change, delete, try out; what was delivered, and delivering it again."""

import base64
import binascii
from urllib.parse import urlsplit

import msgspec

from sandbox.gitlab import auth, entities, payloads
from sandbox.gitlab.api.given import names, number, parse
from sandbox.gitlab.hooks import Deliverer
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.repository import NULL_SHA, Repository
from sandbox.gitlab.state import Access, Event, Hook, HookDelivery, Json, Project, Push, State, User
from sandbox.http import HttpError, Request, Response, Route

SECRETS = ("token", "signing_token")
FLAGS = {f"{event.value}_events": event for event in Event}


class HookFields(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a hook that may be set; None leaves it as it is."""

    url: str | None = None
    name: str | None = None
    description: str | None = None
    token: str | None = None
    signing_token: str | None = None
    enable_ssl_verification: bool | None = None
    push_events: bool | None = None
    tag_push_events: bool | None = None
    merge_requests_events: bool | None = None
    note_events: bool | None = None
    confidential_note_events: bool | None = None
    pipeline_events: bool | None = None
    job_events: bool | None = None
    deployment_events: bool | None = None
    feature_flag_events: bool | None = None


def _find(state: State, request: Request) -> tuple[Project, User, Hook]:
    project, user = auth.project(state, request, Access.MAINTAINER)
    hook = project.hooks.get(number(request, "hook_id"))
    if hook is None:
        raise HttpError(404, {"message": "404 Not found"})
    return project, user, hook


def apply(hook: Hook, fields: HookFields) -> None:
    """Set what is given."""
    if fields.url is not None:
        if urlsplit(fields.url).scheme not in {"http", "https"}:
            raise HttpError(422, {"error": "Invalid url given"})
        hook.url = fields.url
    if fields.signing_token:
        _check_signing_token(fields.signing_token)
    for name in ("name", "description", *SECRETS, "enable_ssl_verification"):
        value = getattr(fields, name)
        if value is not None:
            setattr(hook, name, value)
    for name, event in FLAGS.items():
        wanted = getattr(fields, name)
        if wanted is True:
            hook.events.add(event)
        elif wanted is False:
            hook.events.discard(event)


def _check_signing_token(token: str) -> None:
    try:
        key = base64.b64decode(token.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not token.startswith("whsec_") or not key:
        raise HttpError(422, {"error": "signing_token must be whsec_ and a key in base64"})


def listed(state: State, request: Request) -> Response:
    """List a project's hooks."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    now = state.now()
    return page(request, list(project.hooks.values()), lambda one: entities.hook(one, now=now), base_url=state.url)


def get(state: State, request: Request) -> Response:
    """Give one hook, with its status."""
    _, _, hook = _find(state, request)
    return Response.json(entities.hook(hook, now=state.now()))


def create(state: State, request: Request) -> Response:
    """Create a hook; it gets push events unless told otherwise."""
    project, _ = auth.project(state, request, Access.MAINTAINER)
    hook = add(state, project, parse(request, HookFields))
    return Response.json(entities.hook(hook, now=state.now()), status=201)


def add(state: State, project: Project, fields: HookFields) -> Hook:
    """Make a hook of a project."""
    hook = Hook(id=state.next_id("hook"), url="", project_id=project.id, created_at=state.now(), events={Event.PUSH})
    apply(hook, fields)
    project.hooks[hook.id] = hook
    return hook


def update(state: State, request: Request) -> Response:
    """Change a hook."""
    _, _, hook = _find(state, request)
    apply(hook, parse(request, HookFields))
    return Response.json(entities.hook(hook, now=state.now()))


def delete(state: State, request: Request) -> Response:
    """Delete a hook."""
    project, _, hook = _find(state, request)
    del project.hooks[hook.id]
    return Response(status=204)


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


async def try_out(deliverer: Deliverer, request: Request) -> Response:
    """Send a sample event; a 2xx answer enables an auto-disabled hook again."""
    state = deliverer.state
    project, user, hook = _find(state, request)
    trigger = request.params["trigger"]
    event = FLAGS.get(trigger)
    sample = await _sample(state, project, user, event) if event else None
    if event is None or sample is None:
        raise HttpError(422, {"message": f"422 Unprocessable Entity - no sample data for {trigger}"})
    delivery = deliverer.record(hook, event, sample)
    await deliverer.send(hook, delivery)
    if not delivery.response_status.startswith("2"):
        raise HttpError(422, {"message": f"422 Unprocessable Entity - {delivery.response_body[:200]}"})
    return Response.json({"message": "201 Created"}, status=201)


async def _sample(state: State, project: Project, user: User, event: Event) -> Json | None:
    """Make a payload: the last one that was sent, or for pushes the head of the default branch."""
    known = [one for hook in project.hooks.values() for one in hook.deliveries if one.event is event]
    if known:
        return known[-1].payload
    head = await Repository(project.repository).branch(project.default_branch)
    if event is not Event.PUSH or head is None:
        return None
    ref = f"refs/heads/{project.default_branch}"
    return payloads.push(state, Push(project=project, user=user, ref=ref, before=NULL_SHA, after=head), [], total=0)


def _status(delivery: HookDelivery) -> int:
    return int(delivery.response_status) if delivery.response_status.isdecimal() else 500


_HOOKS = "/api/v4/projects/:id/hooks"
ROUTES = (
    Route("GET", _HOOKS, listed, query=PAGE),
    Route("POST", _HOOKS, create, params=names(HookFields), required=("url",)),
    Route("GET", f"{_HOOKS}/:hook_id", get),
    Route("PUT", f"{_HOOKS}/:hook_id", update, params=names(HookFields)),
    Route("DELETE", f"{_HOOKS}/:hook_id", delete),
    Route("GET", f"{_HOOKS}/:hook_id/events", events, query=("status", *PAGE)),
)
DELIVERER_ROUTES = (
    Route("POST", f"{_HOOKS}/:hook_id/test/:trigger", try_out),
    Route("POST", f"{_HOOKS}/:hook_id/events/:hook_log_id/resend", resend),
)
