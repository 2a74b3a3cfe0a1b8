"""The tier, and the whole state for tests, below `/_sandbox/`. GitLab has no such routes."""

from dataclasses import dataclass

from sandbox.faults.request_faults import RequestLog
from sandbox.gitlab import conversation, entities, mergeable, review
from sandbox.gitlab.background import Step
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.hooks import Deliverer
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Project, Tier
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the control routes work on."""

    state: State
    deliverer: Deliverer
    log: RequestLog


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
                **review.merge_request_basic(state, project, mr, detailed=await mergeable.status(state, project, mr)),
                "notes": [conversation.note(state, mr, note) for note in mr.notes],
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


def force_status(control: Control, request: Request) -> Response:
    """Let a merge request tell this `detailed_merge_status`, whatever it is; null: its own again."""
    mr, fields = _merge_request(control, request)
    mr.forced_status = fields["status"]
    return Response(status=204)


def fail_merge(control: Control, request: Request) -> Response:
    """Let the next merge of a merge request fail for this reason, after GitLab has begun with it."""
    mr, fields = _merge_request(control, request)
    mr.next_failure = fields["error"]
    return Response(status=204)


def _merge_request(control: Control, request: Request) -> tuple[MergeRequest, Json]:
    fields = request.fields()
    project = control.state.project(fields["project"])
    found = project.merge_requests.get(int(fields["iid"])) if project else None
    if found is None:
        raise HttpError(404, {"error": f"there is no merge request {fields['project']}!{fields['iid']}"})
    return found, fields


def hold(control: Control, request: Request) -> Response:
    """Let a step that GitLab does after its answer wait until it is released."""
    control.state.background.held.add(_step(request))
    return _steps(control)


async def release(control: Control, request: Request) -> Response:
    """Do what waits for a step, and hold it no longer."""
    await control.state.background.release(_step(request))
    return _steps(control)


def _step(request: Request) -> Step:
    try:
        return Step(str(request.fields()["step"]))
    except ValueError as error:
        known = ", ".join(step.value for step in Step)
        raise HttpError(400, {"error": f"{error}; there are: {known}"}) from error


def _steps(control: Control) -> Response:
    background = control.state.background
    return Response.json({"held": sorted(one.value for one in background.held), "waiting": background.waiting()})


ROUTES = (
    Route("PUT", "/_sandbox/merge_requests/status", force_status, required=("project", "iid", "status")),
    Route("PUT", "/_sandbox/merge_requests/failure", fail_merge, required=("project", "iid", "error")),
    Route("POST", "/_sandbox/background/hold", hold, required=("step",)),
    Route("POST", "/_sandbox/background/release", release, required=("step",)),
    Route("PUT", "/_sandbox/tier", set_tier, required=("tier",)),
    Route("GET", "/_sandbox/state", dump),
)
