"""What a project wants of approvals: its rules, and when they are reset. Premium; 404 in the other tiers."""

from typing import Literal

import msgspec

from sandbox.gitlab import auth, entities
from sandbox.gitlab.api.given import names, number, parse, required
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.model import Access, ApprovalRule, Project, RuleType, Tier
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


class NewRule(msgspec.Struct, frozen=True, kw_only=True):
    """An approval rule: of anybody, or of the users that it names."""

    name: str
    approvals_required: int
    rule_type: Literal["any_approver", "regular"] = "regular"
    user_ids: list[int] = []
    usernames: list[str] = []


class EditRule(msgspec.Struct, frozen=True, kw_only=True):
    """What changes of a rule."""

    name: str | None = None
    approvals_required: int | None = None
    user_ids: list[int] | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """When approvals are reset, and whose don't count; what is given is changed."""

    reset_approvals_on_push: bool | None = None
    merge_requests_author_approval: bool | None = None
    merge_requests_disable_committers_approval: bool | None = None


def _paid(state: State, request: Request, at_least: Access) -> Project:
    project, _ = auth.project(state, request, at_least)
    if state.tier is not Tier.PREMIUM:
        raise HttpError(404, {"message": "404 Not found"})
    return project


def listed(state: State, request: Request) -> Response:
    """List the rules."""
    project = _paid(state, request, Access.DEVELOPER)
    found = list(project.approval_rules.values())
    return page(request, found, lambda one: _shape(state, project, one), base_url=state.url)


def _shape(state: State, project: Project, one: ApprovalRule) -> Json:
    ids = one.user_ids if one.type is RuleType.REGULAR else list(project.members)
    able = [state.users[each] for each in ids if state.access(state.users[each], project) >= Access.DEVELOPER]
    return {
        **entities.approval_rule(state, one, able),
        "protected_branches": [],
        "applies_to_all_protected_branches": False,
    }


def create(state: State, request: Request) -> Response:
    """Make a rule."""
    project = _paid(state, request, Access.MAINTAINER)
    new = parse(request, NewRule)
    named = [one.id for one in map(state.user, new.usernames) if one is not None]
    ids = list(dict.fromkeys([*(one for one in new.user_ids if one in state.users), *named]))
    kind = RuleType(new.rule_type)
    if (kind is RuleType.REGULAR) != bool(ids):
        raise HttpError(400, {"error": "the GitLab emulator has rules of named users, or of anybody without names"})
    rule = ApprovalRule(state.next_id("approval_rule"), new.name, kind, new.approvals_required, ids)
    project.approval_rules[rule.id] = rule
    return Response.json(_shape(state, project, rule), status=201)


def _find(state: State, request: Request) -> tuple[Project, ApprovalRule]:
    project = _paid(state, request, Access.MAINTAINER)
    found = project.approval_rules.get(number(request, "rule_id"))
    if found is None:
        raise HttpError(404, {"message": "404 Not found"})
    return project, found


def update(state: State, request: Request) -> Response:
    """Change a rule."""
    project, rule = _find(state, request)
    for name, value in msgspec.structs.asdict(parse(request, EditRule)).items():
        if value is not None:
            setattr(rule, name, value)
    return Response.json(_shape(state, project, rule))


def delete(state: State, request: Request) -> Response:
    """Take a rule away."""
    project, rule = _find(state, request)
    del project.approval_rules[rule.id]
    return Response(status=204)


def settings(state: State, request: Request) -> Response:
    """Say when approvals are reset."""
    return _settings(_paid(state, request, Access.DEVELOPER))


def change_settings(state: State, request: Request) -> Response:
    """Change when approvals are reset."""
    project = _paid(state, request, Access.MAINTAINER)
    for name, value in msgspec.structs.asdict(parse(request, Settings)).items():
        if value is not None:
            setattr(project.settings, name, value)
    return _settings(project, status=201)


def _settings(project: Project, *, status: int = 200) -> Response:
    own = {name: getattr(project.settings, name) for name in names(Settings)}
    return Response.json({"approvals_before_merge": 0, "require_password_to_approve": False, **own}, status=status)


_PROJECT = "/api/v4/projects/:id"
ROUTES = (
    Route("GET", f"{_PROJECT}/approvals", settings),
    Route("POST", f"{_PROJECT}/approvals", change_settings, params=names(Settings)),
    Route("GET", f"{_PROJECT}/approval_rules", listed, query=PAGE),
    Route("POST", f"{_PROJECT}/approval_rules", create, params=names(NewRule), required=required(NewRule)),
    Route("PUT", f"{_PROJECT}/approval_rules/:rule_id", update, params=names(EditRule)),
    Route("DELETE", f"{_PROJECT}/approval_rules/:rule_id", delete),
)
