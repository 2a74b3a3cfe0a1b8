"""Approvals of merge requests: who gave them, giving and taking one back, and what the rules say.

The free tier has no rules; Premium's are in `approval_settings`. Sources: lib/api/merge_request_approvals.rb, and
the entities ApprovalState (Enterprise Edition, also without a licence) and MergeRequestApprovals (Community Edition).
"""

import msgspec

from sandbox.gitlab import activity, approval_rules, entities, reviewers
from sandbox.gitlab.api.given import names, parse
from sandbox.gitlab.api.merge_requests import find
from sandbox.gitlab.approval_rules import Judged
from sandbox.gitlab.auth import JobToken
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import Approval, MergeRequest
from sandbox.gitlab.model import Access, Project, Tier, User
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


class Approve(msgspec.Struct, frozen=True, kw_only=True):
    """How to approve."""

    sha: str | None = None
    """Approve only if this still is the head."""


def get(state: State, request: Request) -> Response:
    """Say who approved."""
    project, user, mr = find(state, request, job_token=JobToken.ACCEPTED)
    return _answer(state, project, mr, user)


async def approve(state: State, request: Request) -> Response:
    """Approve: 403 for who is no developer, 409 for another head, 401 for whose approval would not be taken."""
    project, user, mr = find(state, request, Access.DEVELOPER)
    given = parse(request, Approve)
    if given.sha and given.sha != mr.sha:
        raise HttpError(409, {"message": f"SHA does not match HEAD of source branch: {mr.sha}"})
    if not approval_rules.may_approve(state, project, mr, user):
        raise HttpError(401, {"message": "401 Unauthorized"})
    patch_id = mr.versions[-1].patch_id if mr.versions else ""
    mr.approvals.append(Approval(user_id=user.id, created_at=state.now(), patch_id=patch_id))
    mr.updated_at = state.now()
    reviewers.submit(mr, user, "approved")
    activity.system_note(state, mr, user, "approved this merge request")
    enough = not any(one.left for one in approval_rules.judged(state, project, mr))
    action = "approved" if enough else "approval"
    await activity.merge_request_changed(state, project, mr, user, action=action)
    return _answer(state, project, mr, user, status=201)


async def unapprove(state: State, request: Request) -> Response:
    """Take one's approval back: 404 without one."""
    project, user, mr = find(state, request, Access.DEVELOPER)
    if mr.state == "merged" or not any(one.user_id == user.id for one in mr.approvals):
        raise HttpError(404, {"message": "404 Not Found"})
    reviewers.submit(mr, user, "unapproved")
    activity.system_note(state, mr, user, "unapproved this merge request")
    await take_back(state, project, mr, user)
    return _answer(state, project, mr, user, status=201)


async def take_back(state: State, project: Project, mr: MergeRequest, user: User) -> None:
    """Take an approval back, and tell."""
    was_approved = approval_rules.is_approved(state, project, mr)
    mr.approvals = [one for one in mr.approvals if one.user_id != user.id]
    mr.updated_at = state.now()
    action = "unapproved" if was_approved else "unapproval"
    await activity.merge_request_changed(state, project, mr, user, action=action)


def _answer(state: State, project: Project, mr: MergeRequest, user: User, *, status: int = 200) -> Response:
    community = state.tier is Tier.COMMUNITY
    more = {} if community else _approval_state(state, project, mr, approval_rules.judged(state, project, mr))
    shape = {
        **more,
        "user_has_approved": any(one.user_id == user.id for one in mr.approvals),
        "user_can_approve": approval_rules.may_approve(state, project, mr, user),
        "approved": approval_rules.is_approved(state, project, mr),
        "approved_by": [{"user": entities.user_basic(state, one.user_id)} for one in mr.approvals],
    }
    return Response.json(shape, status=status)


def _approval_state(state: State, project: Project, mr: MergeRequest, rules: list[Judged]) -> Json:
    paid = state.tier is Tier.PREMIUM
    waited_for = {user.id: user for one in rules if one.left for user in one.eligible if user not in one.approved_by}
    return {
        "id": mr.id,
        "iid": mr.iid,
        "project_id": mr.project_id,
        "title": mr.title,
        "description": mr.description,
        "state": mr.state,
        "created_at": entities.stamp(mr.created_at),
        "updated_at": entities.stamp(mr.updated_at),
        "merge_status": "can_be_merged",
        "approvals_required": approval_rules.required(rules),
        "approvals_left": approval_rules.left(rules),
        "require_password_to_approve": False,
        "suggested_approvers": [entities.user_basic(state, one) for one in waited_for],
        "approvers": [],
        "approver_groups": [],
        "approval_rules_left": [_short(one) for one in rules if one.left],
        "has_approval_rules": bool(project.approval_rules) and paid,
        "merge_request_approvers_available": paid,
        "multiple_approval_rules_available": paid,
        "invalid_approvers_rules": [],
    }


def _short(one: Judged) -> Json:
    return {"id": one.rule.id, "name": one.rule.name, "rule_type": one.rule.type.value}


def approval_state(state: State, request: Request) -> Response:
    """Say which rules are met, and by whom."""
    project, _, mr = find(state, request)
    if state.tier is Tier.COMMUNITY:
        raise HttpError(404, {"error": "404 Not Found"})
    rules = approval_rules.judged(state, project, mr)
    shapes = [_rule(state, one) for one in rules]
    return Response.json({"approval_rules_overwritten": False, "rules": shapes})


def _rule(state: State, one: Judged) -> Json:
    return {
        **entities.approval_rule(state, one.rule, one.eligible),
        "section": None,
        "source_rule": None,
        "overridden": False,
        "code_owner": False,
        "approved_by": [entities.user_basic(state, user.id) for user in one.approved_by],
        "approved": not one.left,
    }


_MR = "/api/v4/projects/:id/merge_requests/:iid"
ROUTES = (
    Route("GET", f"{_MR}/approvals", get),
    Route("GET", f"{_MR}/approval_state", approval_state),
    Route("POST", f"{_MR}/approve", approve, params=names(Approve)),
    Route("POST", f"{_MR}/unapprove", unapprove),
)
