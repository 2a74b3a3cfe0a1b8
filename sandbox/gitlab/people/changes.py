"""What people change: commits, merges, a merge request's state, reverts."""

import re
from typing import Final, Literal

import msgspec

from sandbox.gitlab.api import reverts
from sandbox.gitlab.api.commits import refuse_push
from sandbox.gitlab.model import Project
from sandbox.gitlab.people.person import OnMergeRequest, Person, project_url, url
from sandbox.gitlab.repository import Repository
from sandbox.http import HttpError

_DRAFT: Final = re.compile(r"^(draft:|\[draft\]|\(draft\))\s*", re.IGNORECASE)


class Pushing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A commit on a branch; a file whose content is null goes."""

    project: str
    files: dict[str, str | None]
    branch: str = ""
    iid: int | None = None
    """Of the merge request whose source branch it is."""
    message: str = "Change files"


class Merging(OnMergeRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Merge now, or by the train."""

    sha: str | None = None
    train: bool = False


class Reverting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take back what a merge request brought, or a commit: by a commit, or by a merge request."""

    project: str
    iid: int | None = None
    sha: str | None = None
    by: Literal["commit", "merge_request"] = "merge_request"


async def push(person: Person, given: Pushing) -> object:
    """Commit to a branch."""
    project = person.state.project(given.project)
    branch = given.branch
    if given.iid is not None:
        project, mr = person.found(OnMergeRequest(project=given.project, iid=given.iid))
        branch = mr.source_branch
    if project is None or not branch:
        raise HttpError(400, {"error": "push: which project, and which branch or merge request?"})
    repository = Repository(project.repository)
    tip = await repository.branch(branch)
    actions = []
    for path, content in given.files.items():
        there = await repository.entry(tip or project.default_branch, path) is not None
        kind = "delete" if content is None else "update" if there else "create"
        actions.append({"action": kind, "file_path": path, **({} if content is None else {"content": content})})
    start = None if tip else project.default_branch
    new = {"branch": branch, "start_branch": start, "commit_message": given.message, "actions": actions}
    return await person.asks("POST", f"{project_url(given.project)}/repository/commits", new)


async def merge(person: Person, given: Merging) -> object:
    """Merge, or get on the train."""
    if given.train:
        train = f"{project_url(given.project)}/merge_trains/merge_requests/{given.iid}"
        return await person.asks("POST", train, {"sha": given.sha})
    return await person.asks("PUT", f"{url(given)}/merge", {"sha": given.sha})


async def rebase(person: Person, on: OnMergeRequest) -> object:
    """Rebase the source branch."""
    return await person.asks("PUT", f"{url(on)}/rebase")


async def close(person: Person, on: OnMergeRequest) -> object:
    """Close."""
    return await person.asks("PUT", url(on), {"state_event": "close"})


async def reopen(person: Person, on: OnMergeRequest) -> object:
    """Reopen."""
    return await person.asks("PUT", url(on), {"state_event": "reopen"})


async def draft(person: Person, on: OnMergeRequest) -> object:
    """Mark as a draft."""
    title = person.found(on)[1].title
    return await person.asks("PUT", url(on), {"title": f"Draft: {title}"})


async def ready(person: Person, on: OnMergeRequest) -> object:
    """Mark as ready."""
    title = person.found(on)[1].title
    return await person.asks("PUT", url(on), {"title": _DRAFT.sub("", title)})


async def revert(person: Person, given: Reverting) -> object:
    """Take something back, as the page does: its merge request has GitLab's branch, title and description."""
    project, sha, target = _to_revert(person, given)
    if given.by == "commit":
        commit_url = f"{project_url(given.project)}/repository/commits/{sha}"
        return await person.asks("POST", f"{commit_url}/revert", {"branch": target})
    repository = Repository(project.repository)
    branch, tip = f"revert-{sha[:8]}", await repository.branch(target)
    refuse_push(person.state, project, person.user, branch)
    if tip is None or await repository.branch(branch):
        raise HttpError(400, {"error": f"revert: {target} is gone, or {branch} is there already"})
    async with project.lock:
        await reverts.take_back(person.state, project, person.user, sha, onto=tip, branch=branch)
    commit = await repository.commit(sha)
    new = {
        "source_branch": branch,
        "target_branch": target,
        "title": reverts.title(commit),
        "description": reverts.description(project, commit),
        "remove_source_branch": True,
    }
    return await person.asks("POST", f"{project_url(given.project)}/merge_requests", new)


def _to_revert(person: Person, given: Reverting) -> tuple[Project, str, str]:
    """Give the project, the commit, and the branch that it is to be taken from."""
    if given.iid is not None:
        project, mr = person.found(OnMergeRequest(project=given.project, iid=given.iid))
        if mr.state != "merged":
            raise HttpError(400, {"error": f"{given.project}!{given.iid} is not merged"})
        return project, mr.merge_commit_sha or mr.sha, mr.target_branch
    found = person.state.project(given.project)
    if found is None or given.sha is None:
        raise HttpError(400, {"error": "revert: which project, and which commit or merge request?"})
    return found, given.sha, found.default_branch
