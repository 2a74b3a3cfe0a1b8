"""The emulator's own routes below `/_sandbox/`: faults, and the whole state for tests. GitLab has none of them."""

import msgspec

from sandbox.faults import RateLimit, RequestFault, RequestFaults, RequestLog
from sandbox.gitlab import entities, review
from sandbox.gitlab.hook_faults import HookFault, HookFaults
from sandbox.gitlab.hooks import Deliverer
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import Json, Project, State, Tier
from sandbox.http import Body, HttpError, Request, Response, Route


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /_sandbox/faults`; what is given is added to what is on."""

    requests: list[RequestFault] = []
    hooks: list[HookFault] = []
    rate_limit: RateLimit | None = None


class Control:
    """What the control routes work on."""

    def __init__(
        self, state: State, *, deliverer: Deliverer, requests: RequestFaults, hooks: HookFaults, log: RequestLog
    ) -> None:
        self.state = state
        self.deliverer = deliverer
        self.requests = requests
        self.hooks = hooks
        self.log = log


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


def list_faults(control: Control, _request: Request) -> Response:
    """List the switches that are on."""
    limit = control.requests.rate_limit
    return Response.json({"requests": control.requests.active(), "hooks": control.hooks.active(), "rate_limit": limit})


def clear_faults(control: Control, _request: Request) -> Response:
    """Turn all switches off; hooks that waited behind others are sent."""
    control.requests.clear()
    control.hooks.clear()
    return Response(status=204)


async def dump(control: Control, _request: Request) -> Response:
    """Give users, projects with all that is in them, the request log, and the CI engine's part."""
    state = control.state
    return Response.json(
        {
            "users": [{**entities.user(state, one), "admin": one.admin} for one in state.users.values()],
            "projects": [await _project(state, one) for one in state.projects.values()],
            "hooks_idle": control.deliverer.idle,
            "requests": control.log.dump(),
            **state.dump(),
        }
    )


async def _project(state: State, project: Project) -> Json:
    return {
        **entities.project_simple(state, project),
        "members": {state.users[one].username: int(level) for one, level in project.members.items()},
        "job_token_allowlist": sorted(project.job_token_allowlist),
        "branches": await Repository(project.repository).branches(),
        "merge_requests": [
            {
                **review.merge_request_basic(state, project, mr),
                "notes": [review.note(state, mr, note) for note in mr.notes],
            }
            for mr in project.merge_requests.values()
        ],
        "hooks": [
            {
                **entities.hook(hook, now=state.now()),
                "failures": hook.failures,
                "deliveries": [
                    {
                        "id": one.id,
                        "event": one.event.value,
                        "uuid": one.uuid,
                        "idempotency_key": one.idempotency_key,
                        "response_status": one.response_status,
                        "created_at": entities.stamp(one.created_at),
                    }
                    for one in hook.deliveries
                ],
            }
            for hook in project.hooks.values()
        ],
    }


def set_tier(control: Control, request: Request) -> Response:
    """Let the instance be paid for, or not."""
    try:
        control.state.tier = Tier(str(request.fields()["tier"]))
    except ValueError as error:
        raise HttpError(400, {"error": f"there is no such tier: {error}"}) from error
    return Response(status=204)


ROUTES = (
    Route("PUT", "/_sandbox/tier", set_tier, required=("tier",)),
    Route("POST", "/_sandbox/faults", add_faults, body=Body.FREE),
    Route("GET", "/_sandbox/faults", list_faults),
    Route("DELETE", "/_sandbox/faults", clear_faults),
    Route("GET", "/_sandbox/state", dump),
)
