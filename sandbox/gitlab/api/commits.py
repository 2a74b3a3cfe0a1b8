"""Commits: list, get, diff, and create with actions, as real commits."""

import base64
import binascii
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from sandbox.gitlab import auth, entities, pushes
from sandbox.gitlab.api.branches import create_ref
from sandbox.gitlab.api.given import names, parse, required
from sandbox.gitlab.model import Access, Project, Push, User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.repository import NULL_SHA, Change, Commit, Identity, Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One action of a commit (doc/api/commits.md)."""

    action: Literal["create", "delete", "move", "update", "chmod"]
    file_path: str
    previous_path: str | None = None
    content: str | None = None
    encoding: Literal["text", "base64"] = "text"
    last_commit_id: str | None = None
    execute_filemode: bool | None = None


class NewCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit on a branch, which `start_branch` or `start_sha` may create."""

    branch: str
    commit_message: str
    actions: list[Action]
    start_branch: str | None = None
    start_sha: str | None = None
    author_name: str | None = None
    author_email: str | None = None
    stats: bool = True
    force: bool = False
    allow_empty: bool = False


async def listed(state: State, request: Request) -> Response:
    """List commits of a ref, newest first."""
    project, _ = auth.project(state, request, Access.REPORTER)
    repository = Repository(project.repository)
    ref = request.arg("ref_name") or project.default_branch
    revisions = ref.split("..") if ".." in ref else [ref]
    found = [await repository.resolve(one) for one in revisions]
    heads = [sha for sha in found if sha]
    if len(heads) != len(revisions):
        raise HttpError(404, {"message": "404 Commit Not Found"})
    selection = [f"^{heads[0]}", heads[1]] if len(heads) == 2 else heads
    since = _moment(request, "since")
    commits = await repository.log(*selection)
    if since is not None:
        commits = [one for one in commits if one.committer.at >= since]
    return page(request, commits, lambda one: entities.commit(state, project, one), base_url=state.url)


def _moment(request: Request, name: str) -> datetime | None:
    given = request.arg(name)
    if not given:
        return None
    try:
        return datetime.fromisoformat(given)
    except ValueError as error:
        raise HttpError(400, {"error": f"{name} is invalid"}) from error


async def get(state: State, request: Request) -> Response:
    """Give one commit by id, branch or tag."""
    project, _ = auth.project(state, request, Access.REPORTER)
    repository = Repository(project.repository)
    return Response.json(await _detail(state, project, repository, await _found(repository, request.params["sha"])))


async def _found(repository: Repository, ref: str) -> Commit:
    sha = await repository.resolve(ref)
    if sha is None:
        raise HttpError(404, {"message": "404 Commit Not Found"})
    return await repository.commit(sha)


async def _detail(state: State, project: Project, repository: Repository, commit: Commit) -> dict[str, object]:
    raw = await repository.git("show", "--numstat", "--format=", "--first-parent", commit.id)
    counts = [line.split("\t")[:2] for line in raw.decode("utf-8", "replace").splitlines() if line]
    added, removed = (sum(int(one[index]) for one in counts if one[index] != "-") for index in (0, 1))
    stats = {"additions": added, "deletions": removed, "total": added + removed}
    detail = {"stats": stats, "status": None, "project_id": project.id, "last_pipeline": None}
    return {**entities.commit(state, project, commit), **detail}


async def diff(state: State, request: Request) -> Response:
    """Give what a commit changed, compared with its first parent."""
    project, _ = auth.project(state, request, Access.REPORTER)
    repository = Repository(project.repository)
    commit = await _found(repository, request.params["sha"])
    base = commit.parents[0] if commit.parents else await repository.empty_tree()
    return page(request, await repository.diff(base, commit.id), entities.diff, base_url=state.url)


async def create(state: State, request: Request) -> Response:
    """Create a commit; all actions or none."""
    project, user = auth.project(state, request, Access.DEVELOPER)
    _throttle(state, len(request.body))
    new = parse(request, NewCommit)
    commit = await commit_actions(state, project, user, new)
    repository = Repository(project.repository)
    return Response.json(await _detail(state, project, repository, commit), status=201)


LARGE = 20_000_000
"""Bytes of a request from which GitLab counts it; https://docs.gitlab.com/administration/instance_limits/."""
LARGE_ALLOWED, LARGE_PERIOD = 3, timedelta(seconds=30)


def _throttle(state: State, size: int) -> None:
    if size <= LARGE:
        return
    now = state.now()
    state.large_commits = [one for one in state.large_commits if now - one < LARGE_PERIOD]
    if len(state.large_commits) >= LARGE_ALLOWED:
        wait = LARGE_PERIOD - (now - state.large_commits[0])
        raise HttpError(429, {"message": "429 Too Many Requests"}, {"retry-after": str(int(wait.total_seconds()) + 1)})
    state.large_commits.append(now)


async def commit_actions(state: State, project: Project, user: User, new: NewCommit) -> Commit:
    """Write the commit, move the branch, tell everyone."""
    repository = Repository(project.repository)
    if not new.actions and not new.allow_empty:
        raise HttpError(400, {"message": "Provide at least one action, or set allow_empty to true"})
    refuse_push(state, project, user, new.branch)
    async with project.lock:
        old = await repository.branch(new.branch)
        parent = await _parent(repository, new, old)
        for action in new.actions:
            await _check_unchanged(repository, parent, action)
        tree = await repository.write_tree(parent, await _staged(repository, parent, new.actions))
        now = state.now()
        author = Identity(
            name=new.author_name or user.name, email=new.author_email or f"{user.username}@sandbox.invalid", at=now
        )
        committer = Identity(name=user.name, email=f"{user.username}@sandbox.invalid", at=now)
        sha = await repository.write_commit(
            tree, parents=[parent], message=new.commit_message, author=author, committer=committer
        )
        if old is None:
            await create_ref(repository, new.branch, sha)
        else:
            await repository.move(f"refs/heads/{new.branch}", new=sha, old=old)
        push = Push(project=project, user=user, ref=f"refs/heads/{new.branch}", before=old or NULL_SHA, after=sha)
        await pushes.pushed(state, push)
    return await repository.commit(sha)


def refuse_push(state: State, project: Project, user: User, branch: str) -> None:
    """Refuse with 403 who may not push to a branch (`authorize_push_to_branch!`)."""
    needed = Access.MAINTAINER if branch in project.protected_branches else Access.DEVELOPER
    if state.access(user, project) < needed:
        raise HttpError(403, {"message": "403 Forbidden - You are not allowed to push into this branch"})


async def _parent(repository: Repository, new: NewCommit, old: str | None) -> str:
    if new.start_branch and new.start_sha:
        raise HttpError(400, {"error": "start_branch, start_sha are mutually exclusive"})
    start = new.start_branch or new.start_sha
    if start is None:
        if old is None:
            raise HttpError(400, {"message": "You can only create or edit files when you are on a branch"})
        return old
    if old is not None and not new.force:
        message = f"A branch called '{new.branch}' already exists. Switch to that branch in order to make changes"
        raise HttpError(400, {"message": message})
    found = await repository.resolve(start)
    if found is None:
        raise HttpError(400, {"message": f"Cannot find start branch or commit {start}"})
    return found


async def _check_unchanged(repository: Repository, parent: str, action: Action) -> None:
    """Refuse to touch a file whose last commit is not the one that the client names (lib: files/multi_service.rb)."""
    if action.action == "create" or not action.last_commit_id:
        return
    path = _checked(action.previous_path or action.file_path)
    last = await repository.log(parent, limit=1, paths=[path])
    if last and last[0].id != action.last_commit_id:
        raise HttpError(400, {"message": f"The file has changed since you started editing it: {path}"})


async def _staged(repository: Repository, parent: str, actions: list[Action]) -> list[Change]:
    """Apply the actions one after the other, each to what those before it left, and return what changes by path."""
    staged: dict[str, Change] = {}
    for action in actions:
        path = _checked(action.file_path)
        source = _checked(action.previous_path or path)
        there = staged[source] if source in staged else await _file(repository, parent, source)
        exists = there is not None and there.content is not None
        if action.action == "create" and exists:
            raise HttpError(400, {"message": "A file with this name already exists"})
        if action.action != "create" and not exists:
            raise HttpError(400, {"message": "A file with this name doesn't exist"})
        if (action.action == "chmod") != (action.execute_filemode is not None):
            raise HttpError(400, {"error": "actions[execute_filemode] belongs to the action chmod, and to no other"})
        content = _content(action)
        if content is None and there is not None:
            content = there.content
        mode = there.mode if there is not None and exists else "100644"  # an `update` leaves a symbolic link one
        if action.action == "chmod":
            mode = "100755" if action.execute_filemode else "100644"
        if action.action in {"delete", "move"}:
            staged[source] = Change(path=source, content=None)
        if action.action != "delete":
            staged[path] = Change(path=path, content=content or b"", mode=mode)
    return list(staged.values())


async def _file(repository: Repository, parent: str, path: str) -> Change | None:
    entry = await repository.entry(parent, path)
    if entry is None or entry.type != "blob":
        return None
    return Change(path=path, content=await repository.blob(entry.id), mode=entry.mode)


def _checked(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or {".", "..", ".git"} & {part.lower() for part in path.split("/")}:
        raise HttpError(400, {"message": "invalid path"})
    return "/".join(parts)


def _content(action: Action) -> bytes | None:
    if action.content is None:
        if action.action in {"create", "update"}:
            raise HttpError(400, {"error": "actions[content] is missing"})
        return None
    if action.encoding == "text":
        return action.content.encode()
    try:
        return base64.b64decode(action.content, validate=True)
    except binascii.Error as error:
        raise HttpError(400, {"message": "content is not valid base64"}) from error


_COMMITS = "/api/v4/projects/:id/repository/commits"
ROUTES = (
    Route("GET", _COMMITS, listed, query=("ref_name", "since", *PAGE)),
    Route("GET", f"{_COMMITS}/:sha", get, query=("stats",)),
    Route("GET", f"{_COMMITS}/:sha/diff", diff, query=("unidiff", *PAGE)),
    Route("POST", _COMMITS, create, params=names(NewCommit), required=required(NewCommit)),
)
