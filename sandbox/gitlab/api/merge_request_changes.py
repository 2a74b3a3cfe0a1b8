"""Open merge requests and change them: title, description, labels, reviewers, closing and reopening."""

from typing import Literal

import msgspec

from sandbox.gitlab import activity, auth, mergeable, payloads, refresh
from sandbox.gitlab.api.given import names, parse, required
from sandbox.gitlab.api.merge_requests import answer, find, split
from sandbox.gitlab.background import Step
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import MergeRequest, MergeStatus
from sandbox.gitlab.model import Access, Project, Tier, User
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route

Labels = str | list[str]


class NewMergeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What opens a merge request, within one project."""

    source_branch: str
    target_branch: str
    title: str
    description: str = ""
    labels: Labels = ""
    reviewer_ids: list[int] = []
    target_project_id: int | None = None
    remove_source_branch: bool = False


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What changes of a merge request."""

    title: str | None = None
    description: str | None = None
    state_event: Literal["close", "reopen"] | None = None
    labels: Labels | None = None
    reviewer_ids: list[int] | None = None


async def create(state: State, request: Request) -> Response:
    """Open a merge request; 409 when its branches have an open one. The answer comes before its diff is made."""
    project, user = auth.project(state, request, Access.DEVELOPER)
    async with project.lock:
        mr = await open_merge_request(state, project, user, parse(request, NewMergeRequest))
        response = await answer(state, project, user, mr, status=201)
        await prepare(state, project, mr, user)
    return response


async def open_merge_request(state: State, project: Project, user: User, new: NewMergeRequest) -> MergeRequest:
    """Make a merge request that GitLab has yet to `prepare`."""
    if new.target_project_id not in {None, project.id}:
        raise HttpError(400, {"error": "target_project_id: this emulator has no forks"})
    repository = Repository(project.repository)
    source = await _branch(repository, "source_branch", new.source_branch)
    await _branch(repository, "target_branch", new.target_branch)
    if new.source_branch == new.target_branch:
        raise HttpError(422, {"message": ["You can't use same project/branch for source and target"]})
    refuse_second(project, new.source_branch, new.target_branch)
    now = state.now()
    mr = MergeRequest(
        id=state.next_id("merge_request"),
        iid=len(project.merge_requests) + 1,
        project_id=project.id,
        title=new.title,
        description=new.description,
        source_branch=new.source_branch,
        target_branch=new.target_branch,
        author_id=user.id,
        created_at=now,
        updated_at=now,
        labels=split(new.labels),
        reviewer_ids=_people(state, new.reviewer_ids),
        remove_source_branch=new.remove_source_branch,
        sha=source,
    )
    project.merge_requests[mr.iid] = mr
    return mr


async def prepare(state: State, project: Project, mr: MergeRequest, user: User) -> None:
    """Make its first diff, tell everyone, and look whether it merges: what GitLab does after it has answered."""
    await state.background.run(Step.PREPARATION, project, lambda: _prepare(state, project, mr, user))


async def _prepare(state: State, project: Project, mr: MergeRequest, user: User) -> None:
    await refresh.reload_diff(state, project, mr, user)
    mr.prepared_at = state.now()
    mr.merge_status = MergeStatus.CHECKING
    changes = {
        "merge_status": {"previous": "preparing", "current": "checking"},
        "prepared_at": {"previous": None, "current": payloads.utc(mr.prepared_at)},
    }
    await activity.merge_request_changed(state, project, mr, user, action="open", changes=changes)
    await state.background.run(Step.MERGE_CHECK, project, lambda: mergeable.check(project, mr))


async def _branch(repository: Repository, parameter: str, name: str) -> str:
    sha = await repository.branch(name)
    if sha is None:
        raise HttpError(400, {"message": {parameter: ["does not exist"]}})
    return sha


def refuse_second(project: Project, source_branch: str, target_branch: str) -> None:
    """Refuse a second open merge request of one source branch into one target."""
    for other in project.merge_requests.values():
        branches = (other.source_branch, other.target_branch)
        if other.state == "opened" and branches == (source_branch, target_branch):
            sentence = f"Another open merge request already exists for this source branch: !{other.iid}"
            raise HttpError(409, {"message": [sentence]})


def _people(state: State, ids: list[int]) -> list[int]:
    found = [user_id for user_id in ids if user_id in state.users]
    return found[:1] if state.tier is not Tier.PREMIUM else found


async def update(state: State, request: Request) -> Response:
    """Change a merge request: its author may, and developers."""
    project, user, mr = find(state, request)
    if user.id != mr.author_id and state.access(user, project) < Access.DEVELOPER:
        raise HttpError(403, {"message": "403 Forbidden"})
    edit = parse(request, Edit)
    async with project.lock:
        changes = _apply(state, mr, edit)
        if "labels" in changes:
            changes["labels"] = {
                when: [payloads.label(title, project) for title in titles] for when, titles in changes["labels"].items()
            }
        if changes:
            mr.updated_at = state.now()
            if "draft" in changes:
                mark = "draft" if changes["draft"]["current"] else "ready"
                activity.system_note(state, mr, user, f"marked this merge request as **{mark}**")
            await activity.merge_request_changed(state, project, mr, user, action="update", changes=changes)
        if edit.state_event:
            await _change_state(state, project, mr, user, edit.state_event)
    return await answer(state, project, user, mr)


def _apply(state: State, mr: MergeRequest, edit: Edit) -> Json:
    new: Json = {
        "title": edit.title,
        "description": edit.description,
        "labels": None if edit.labels is None else split(edit.labels),
        "reviewer_ids": None if edit.reviewer_ids is None else _people(state, edit.reviewer_ids),
    }
    changes: Json = {}
    was_draft = mergeable.is_draft(mr.title)
    for key, value in new.items():
        if value is not None and value != getattr(mr, key):
            changes[key] = {"previous": getattr(mr, key), "current": value}
            setattr(mr, key, value)
    if was_draft != mergeable.is_draft(mr.title):
        changes["draft"] = {"previous": was_draft, "current": not was_draft}
    return changes


async def _change_state(
    state: State, project: Project, mr: MergeRequest, user: User, event: Literal["close", "reopen"]
) -> None:
    before, after = {"close": ("opened", "closed"), "reopen": ("closed", "opened")}[event]
    if mr.state != before:
        return
    if event == "close":
        await refresh.close(state, project, mr, user)
        return
    refuse_second(project, mr.source_branch, mr.target_branch)
    mr.state, mr.closed_at, mr.updated_at = after, None, state.now()
    await refresh.reload_diff(state, project, mr, user)
    activity.system_note(state, mr, user, "reopened")
    await activity.merge_request_changed(state, project, mr, user, action=event)


_MRS = "/api/v4/projects/:id/merge_requests"
ROUTES = (
    Route("POST", _MRS, create, params=names(NewMergeRequest), required=required(NewMergeRequest)),
    Route("PUT", f"{_MRS}/:iid", update, params=names(Edit)),
)
