"""Merge requests: list, get, create, update, their commits, the heads they had. Merging is in `merge`."""

from typing import Literal

import msgspec

from sandbox.gitlab import activity, auth, entities, mergeable, payloads, refresh, review
from sandbox.gitlab.api.given import names, number, parse, required
from sandbox.gitlab.auth import JobToken
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Access, Project, Tier, User
from sandbox.gitlab.paging import PAGE, page
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


def find(
    state: State, request: Request, at_least: Access = Access.REPORTER, *, job_token: JobToken = JobToken.REFUSED
) -> tuple[Project, User, MergeRequest]:
    """Give project, user and merge request of a route, or raise."""
    project, user = auth.project(state, request, at_least, job_token=job_token)
    mr = project.merge_requests.get(number(request, "iid"))
    if mr is None:
        raise HttpError(404, {"message": "404 Not found"})
    return project, user, mr


async def answer(state: State, project: Project, user: User, mr: MergeRequest, *, status: int = 200) -> Response:
    """Answer with one merge request."""
    found = await Repository(project.repository).diff(mr.base_sha, mr.sha)
    return Response.json(await _shape(state, project, user, mr, changes=len(found)), status=status)


async def _shape(state: State, project: Project, user: User, mr: MergeRequest, *, changes: int) -> Json:
    status = await mergeable.status(state, project, mr)
    return review.merge_request(state, project, mr, changes=changes, viewer=user, mergeable=status)


def listed(state: State, request: Request) -> Response:
    """List merge requests, newest first unless told otherwise."""
    project, _ = auth.project(state, request, Access.REPORTER, job_token=JobToken.ACCEPTED)
    wanted = {key: request.arg(key) for key in ("source_branch", "target_branch") if request.arg(key)}
    status = request.arg("state", "all")
    if status not in {"all", "opened", "closed", "merged", "locked"}:
        raise HttpError(400, {"error": "state does not have a valid value"})
    labels, iids, search = _labels(request.arg("labels")), request.args("iids"), request.arg("search").lower()
    author = request.arg("author_id")
    found = [
        mr
        for mr in project.merge_requests.values()
        if all(getattr(mr, key) == value for key, value in wanted.items())
        and status in {"all", mr.state}
        and set(labels) <= set(mr.labels)
        and (not iids or str(mr.iid) in iids)
        and (not author or str(mr.author_id) == author)
        and search in f"{mr.title} {mr.description}".lower()
    ]
    key = "updated_at" if request.arg("order_by") == "updated_at" else "created_at"
    found.sort(key=lambda mr: (getattr(mr, key), mr.id), reverse=request.arg("sort", "desc") != "asc")
    return page(request, found, lambda mr: review.merge_request_basic(state, project, mr), base_url=state.url)


async def get(state: State, request: Request) -> Response:
    """Give one merge request."""
    project, user, mr = find(state, request, job_token=JobToken.ACCEPTED)
    return await answer(state, project, user, mr)


async def create(state: State, request: Request) -> Response:
    """Open a merge request; 409 when its branches have an open one already."""
    project, user = auth.project(state, request, Access.DEVELOPER)
    mr = await open_merge_request(state, project, user, parse(request, NewMergeRequest))
    return await answer(state, project, user, mr, status=201)


async def open_merge_request(state: State, project: Project, user: User, new: NewMergeRequest) -> MergeRequest:
    """Make a merge request and its first diff, and tell everyone."""
    if new.target_project_id not in {None, project.id}:
        raise HttpError(400, {"error": "target_project_id: this emulator has no forks"})
    repository = Repository(project.repository)
    async with project.lock:
        source = await _branch(repository, "source_branch", new.source_branch)
        await _branch(repository, "target_branch", new.target_branch)
        if new.source_branch == new.target_branch:
            raise HttpError(409, {"message": ["You can't use same project/branch for source and target"]})
        refuse_second(project, new.source_branch)
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
            labels=_labels(new.labels),
            reviewer_ids=_people(state, new.reviewer_ids),
            remove_source_branch=new.remove_source_branch,
            sha=source,
        )
        await refresh.reload_diff(state, project, mr, user)
        project.merge_requests[mr.iid] = mr
        await activity.merge_request_changed(state, project, mr, user, action="open")
    return mr


async def _branch(repository: Repository, parameter: str, name: str) -> str:
    sha = await repository.branch(name)
    if sha is None:
        raise HttpError(400, {"message": {parameter: ["does not exist"]}})
    return sha


def refuse_second(project: Project, source_branch: str) -> None:
    """Refuse a second open merge request of one source branch."""
    for other in project.merge_requests.values():
        if other.state == "opened" and other.source_branch == source_branch:
            sentence = f"Another open merge request already exists for this source branch: !{other.iid}"
            raise HttpError(409, {"message": [sentence]})


def _labels(given: Labels | None) -> list[str]:
    parts = given.split(",") if isinstance(given, str) else given or []
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


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
            await activity.merge_request_changed(state, project, mr, user, action="update", changes=changes)
        if edit.state_event:
            await _change_state(state, project, mr, user, edit.state_event)
    return await answer(state, project, user, mr)


def _apply(state: State, mr: MergeRequest, edit: Edit) -> Json:
    new: Json = {
        "title": edit.title,
        "description": edit.description,
        "labels": None if edit.labels is None else _labels(edit.labels),
        "reviewer_ids": None if edit.reviewer_ids is None else _people(state, edit.reviewer_ids),
    }
    changes = {}
    for key, value in new.items():
        if value is not None and value != getattr(mr, key):
            changes[key] = {"previous": getattr(mr, key), "current": value}
            setattr(mr, key, value)
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
    refuse_second(project, mr.source_branch)
    mr.state, mr.closed_at, mr.updated_at = after, None, state.now()
    await refresh.reload_diff(state, project, mr, user)
    activity.system_note(state, mr, user, "reopened")
    await activity.merge_request_changed(state, project, mr, user, action=event)


async def commits(state: State, request: Request) -> Response:
    """List a merge request's commits, newest first."""
    project, _, mr = find(state, request)
    found = await Repository(project.repository).log(mr.sha, f"^{mr.base_sha}")
    return page(request, found, lambda one: entities.commit(state, project, one), base_url=state.url)


async def versions(state: State, request: Request) -> Response:
    """List the heads that a merge request had, newest first."""
    _, _, mr = find(state, request)
    return page(request, mr.versions[::-1], lambda one: review.version(mr, one), base_url=state.url)


_MRS = "/api/v4/projects/:id/merge_requests"
_FILTERS = ("source_branch", "target_branch", "state", "labels", "iids", "search", "author_id", "order_by", "sort")
ROUTES = (
    Route("GET", _MRS, listed, query=(*_FILTERS, *PAGE)),
    Route("POST", _MRS, create, params=names(NewMergeRequest), required=required(NewMergeRequest)),
    Route("GET", f"{_MRS}/:iid", get, query=("render_html", "include_diverged_commits_count")),
    Route("PUT", f"{_MRS}/:iid", update, params=names(Edit)),
    Route("GET", f"{_MRS}/:iid/commits", commits, query=PAGE),
    Route("GET", f"{_MRS}/:iid/versions", versions, query=PAGE),
)
