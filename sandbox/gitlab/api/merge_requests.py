"""Merge requests: list, get, their commits, the diffs they had.

Opening and changing them is in `merge_request_changes`, merging in `merge`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sandbox.gitlab import auth, entities, mergeable, review, reviewers
from sandbox.gitlab.api.given import number
from sandbox.gitlab.auth import JobToken
from sandbox.gitlab.background import Step
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Access, Project, User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.repository import Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


def find(
    state: State, request: Request, at_least: Access = Access.REPORTER, *, job_token: JobToken = JobToken.REFUSED
) -> tuple[Project, User, MergeRequest]:
    """Give project, user and merge request of a route, or raise."""
    project, user = auth.project(state, request, at_least, job_token=job_token)
    mr = project.merge_requests.get(number(request, "iid"))
    if mr is None:
        raise HttpError(404, {"message": "404 Not found"})
    return project, user, mr


async def answer(
    state: State,
    project: Project,
    user: User,
    mr: MergeRequest,
    *,
    status: int = 200,
    more: Mapping[str, object] = MappingProxyType({}),
) -> Response:
    """Answer with one merge request; where it isn't known whether it merges, that is looked at after the answer."""
    looks = mergeable.begin(mr)
    changes = len(await Repository(project.repository).diff(mr.base_sha, mr.sha)) if mr.refs else None
    detailed = await mergeable.status(state, project, mr)
    shape = review.merge_request(state, project, mr, detailed=detailed, changes=changes, viewer=user)
    if looks:
        await state.background.run(Step.MERGE_CHECK, project, lambda: mergeable.check(project, mr))
    return Response.json({**shape, **more}, status=status)


async def listed(state: State, request: Request) -> Response:
    """List merge requests, newest first unless told otherwise; looking at a list checks nothing."""
    project, _ = auth.project(state, request, Access.REPORTER, job_token=JobToken.ACCEPTED)
    wanted = {key: request.arg(key) for key in ("source_branch", "target_branch") if request.arg(key)}
    status = request.arg("state", "all")
    if status not in {"all", "opened", "closed", "merged", "locked"}:
        raise HttpError(400, {"error": "state does not have a valid value"})
    labels, iids, search = split(request.arg("labels")), request.args("iids"), request.arg("search").lower()
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
    told = {mr.iid: await mergeable.status(state, project, mr) for mr in found}
    return page(
        request,
        found,
        lambda mr: review.merge_request_basic(state, project, mr, detailed=told[mr.iid]),
        base_url=state.url,
    )


async def get(state: State, request: Request) -> Response:
    """Give one merge request."""
    project, user, mr = find(state, request, job_token=JobToken.ACCEPTED)
    rebasing = request.arg("include_rebase_in_progress").lower() in {"true", "1"}
    more = {"rebase_in_progress": mr.rebase_in_progress} if rebasing else {}
    return await answer(state, project, user, mr, more=more)


def split(given: str | list[str] | None) -> list[str]:
    """Read labels as a client gives them: as a list, or with commas."""
    parts = given.split(",") if isinstance(given, str) else given or []
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


async def commits(state: State, request: Request) -> Response:
    """List a merge request's commits, newest first."""
    project, _, mr = find(state, request)
    found = await Repository(project.repository).log(mr.sha, f"^{mr.base_sha}")
    return page(request, found, lambda one: entities.commit(state, project, one), base_url=state.url)


def reviewers_of(state: State, request: Request) -> Response:
    """List the reviewers and what they said last."""
    _, _, mr = find(state, request)
    shapes = [
        {
            "user": entities.user_basic(state, one),
            "state": reviewers.state_of(mr, one),
            "created_at": entities.stamp(mr.created_at),
        }
        for one in mr.reviewer_ids
    ]
    return Response.json(shapes)


async def versions(state: State, request: Request) -> Response:
    """List the heads that a merge request had, newest first."""
    _, _, mr = find(state, request)
    return page(request, mr.versions[::-1], lambda one: review.version(mr, one), base_url=state.url)


_MRS = "/api/v4/projects/:id/merge_requests"
_FILTERS = ("source_branch", "target_branch", "state", "labels", "iids", "search", "author_id", "order_by", "sort")
ROUTES = (
    Route("GET", _MRS, listed, query=(*_FILTERS, *PAGE)),
    Route(
        "GET",
        f"{_MRS}/:iid",
        get,
        query=("render_html", "include_diverged_commits_count", "include_rebase_in_progress"),
    ),
    Route("GET", f"{_MRS}/:iid/commits", commits, query=PAGE),
    Route("GET", f"{_MRS}/:iid/reviewers", reviewers_of),
    Route("GET", f"{_MRS}/:iid/versions", versions, query=PAGE),
)
