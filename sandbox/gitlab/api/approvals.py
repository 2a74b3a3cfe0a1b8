"""Approvals of merge requests as GitLab's free tier has them: any developer may give one, none is required.

They stay when the branch moves; paid tiers can take them away. Source: doc/api/merge_request_approvals.md.
"""

import msgspec

from sandbox.gitlab import activity, entities
from sandbox.gitlab.api.given import names, parse
from sandbox.gitlab.api.merge_requests import find
from sandbox.gitlab.auth import JobToken
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Access, Project, User
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """How to approve."""

    sha: str | None = None
    """Approve only if this still is the head."""


def get(state: State, request: Request) -> Response:
    """Say who approved."""
    project, user, mr = find(state, request, job_token=JobToken.ACCEPTED)
    return _answer(state, project, mr, user)


async def approve(state: State, request: Request) -> Response:
    """Approve: 401 for who may not or did so before, 409 for another head."""
    project, user, mr = find(state, request)
    given = parse(request, Approval)
    if not _may(state, project, mr, user):
        raise HttpError(401, {"message": "401 Unauthorized"})
    if given.sha and given.sha != mr.sha:
        raise HttpError(409, {"message": f"SHA does not match HEAD of source branch: {mr.sha}"})
    mr.approved_by_ids.append(user.id)
    mr.updated_at = state.now()
    activity.system_note(state, mr, user, "approved this merge request")
    await activity.merge_request_changed(state, project, mr, user, action="approved")
    return _answer(state, project, mr, user, status=201)


async def unapprove(state: State, request: Request) -> Response:
    """Take one's approval back: 404 without one."""
    project, user, mr = find(state, request)
    if user.id not in mr.approved_by_ids:
        raise HttpError(404, {"message": "404 Not Found"})
    mr.approved_by_ids.remove(user.id)
    mr.updated_at = state.now()
    activity.system_note(state, mr, user, "unapproved this merge request")
    await activity.merge_request_changed(state, project, mr, user, action="unapproved")
    return _answer(state, project, mr, user, status=201)


def _may(state: State, project: Project, mr: MergeRequest, user: User) -> bool:
    return (
        mr.state == "opened" and user.id not in mr.approved_by_ids and state.access(user, project) >= Access.DEVELOPER
    )


def _answer(state: State, project: Project, mr: MergeRequest, user: User, *, status: int = 200) -> Response:
    return Response.json(
        {
            "user_has_approved": user.id in mr.approved_by_ids,
            "user_can_approve": _may(state, project, mr, user),
            "approved": bool(mr.approved_by_ids),
            "approved_by": [{"user": entities.user_basic(state, one)} for one in mr.approved_by_ids],
        },
        status=status,
    )


_MR = "/api/v4/projects/:id/merge_requests/:iid"
ROUTES = (
    Route("GET", f"{_MR}/approvals", get),
    Route("POST", f"{_MR}/approve", approve, params=names(Approval)),
    Route("POST", f"{_MR}/unapprove", unapprove),
)
