"""Pages of merge requests: list, overview with notes, commits, changes."""

from typing import Any

from sandbox.ci.instance import appearance
from sandbox.gitlab import head_pipeline, mergeable
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Project
from sandbox.gitlab.repository import Repository
from sandbox.gitlab_pages import conversation
from sandbox.gitlab_pages.browse import commit_shown
from sandbox.gitlab_pages.changes import shown
from sandbox.gitlab_pages.frame import Pages
from sandbox.gitlab_pages.markdown import render
from sandbox.http import HttpError, Request, Response, Route

HINDRANCES = {
    "draft_status": "This is a draft",
    "conflict": "There are conflicts with the target branch",
    "requested_changes": "Somebody has requested changes",
    "not_approved": "Approvals are missing",
    "approvals_syncing": "Approvals are being reset",
    "discussions_not_resolved": "Threads are not resolved",
    "commits_status": "There is nothing to merge",
    "need_rebase": "The source branch must be rebased onto the target branch",
    "ci_must_pass": "The pipeline must succeed",
    "ci_still_running": "The pipeline is still running",
    "preparing": "The merge request is being prepared",
    "checking": "It is being checked whether the branches merge",
    "unchecked": "It is not checked yet whether the branches merge",
}
TABS = {"overview": "Overview", "commits": "Commits", "diffs": "Changes"}


def _shown(pages: Pages, project: Project, mr: MergeRequest) -> dict[str, Any]:
    return {
        "iid": mr.iid,
        "title": mr.title,
        "state": mr.state,
        "href": f"/{project.path_with_namespace}/-/merge_requests/{mr.iid}",
        "source_branch": mr.source_branch,
        "target_branch": mr.target_branch,
        "author": pages.person(mr.author_id),
        "assignees": [pages.person(one) for one in mr.assignee_ids],
        "approved_by": [pages.person(one.user_id) for one in mr.approvals],
        "reviewers": [pages.person(one) for one in mr.reviewer_ids],
        "labels": mr.labels,
        "created": pages.moment(mr.created_at),
        "merged": pages.moment(mr.merged_at),
        "merged_by": pages.person(mr.merged_by_id),
        "merge_commit_sha": mr.merge_commit_sha or "",
        "sha": mr.sha,
        "notes": sum(not note.system for note in mr.notes),
        "awards": conversation.awards(mr.awards),
    }


def listed(pages: Pages, request: Request) -> Response:
    """List a project's merge requests, newest first."""
    project = pages.project(request)
    found = [_shown(pages, project, mr) for mr in reversed(project.merge_requests.values())]
    return pages.render(
        "merge_requests.html", {"found": found}, title="Merge requests", project=project, section="merge_requests"
    )


async def overview(pages: Pages, request: Request) -> Response:
    """Show the conversation."""
    return await _page(pages, request, "overview")


async def commits(pages: Pages, request: Request) -> Response:
    """Show the commits."""
    return await _page(pages, request, "commits")


async def diffs(pages: Pages, request: Request) -> Response:
    """Show the changes."""
    return await _page(pages, request, "diffs")


async def _page(pages: Pages, request: Request, tab: str) -> Response:
    project = pages.project(request)
    iid = request.params["iid"]
    mr = project.merge_requests.get(int(iid)) if iid.isdecimal() else None
    if mr is None:
        raise HttpError(404, {"message": "404 Not found"})
    if mergeable.begin(mr):
        await mergeable.check(project, mr)
    repository = Repository(project.repository)
    found = await repository.diff(mr.base_sha, mr.sha)
    made = await repository.log(mr.sha, f"^{mr.base_sha}")
    counts = {
        "overview": sum(not note.system for note in mr.notes),
        "commits": len(made),
        "diffs": len(found),
    }
    context = {
        "mr": _shown(pages, project, mr),
        "tab": tab,
        "hindrance": HINDRANCES.get(await mergeable.status(pages.state, project, mr)),
        "tabs": [(key, text, "" if key == "overview" else f"/{key}", counts[key]) for key, text in TABS.items()],
        "description": render(mr.description, uploads=f"/-/project/{project.id}") if mr.description else None,
        "pipeline": _pipeline(pages, project, mr),
        "threads": conversation.shown(pages, project, mr),
        "commits": [commit_shown(pages, one) for one in made],
        "diffs": [shown(one) for one in found],
    }
    return pages.render(
        "merge_request.html",
        context,
        title=f"{mr.title} (!{mr.iid})",
        project=project,
        section="merge_requests",
    )


def _pipeline(pages: Pages, project: Project, mr: MergeRequest) -> dict[str, Any] | None:
    told = head_pipeline.shown(pages.state, project, mr)
    if told is None or pages.ci is None:
        return None
    found = pages.ci.engine.pipelines[told["id"]]
    return {
        "id": found.id,
        "status": found.status.value,
        "label": appearance.of_pipeline(found).label,
        "href": f"/{project.path_with_namespace}/-/pipelines/{found.id}",
    }


_MRS = "/*project/-/merge_requests"
ROUTES = (
    Route("GET", _MRS, listed),
    Route("GET", f"{_MRS}/:iid", overview),
    Route("GET", f"{_MRS}/:iid/commits", commits),
    Route("GET", f"{_MRS}/:iid/diffs", diffs),
)
