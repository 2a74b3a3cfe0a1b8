"""Take commits back: a new commit that undoes one, or what a merge brought (lib/api/commits.rb, RevertService)."""

import msgspec

from sandbox.gitlab import auth, entities, merging, pushes
from sandbox.gitlab.api.branches import create_ref
from sandbox.gitlab.api.commits import refuse_push
from sandbox.gitlab.api.given import names, parse, required
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Access, Project, Push, User
from sandbox.gitlab.repository import NULL_SHA, Commit, Identity, Repository
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route


class Revert(msgspec.Struct, frozen=True, kw_only=True):
    """Where to take a commit back."""

    branch: str
    dry_run: bool = False


async def revert(state: State, request: Request) -> Response:
    """Put a commit on a branch that takes another one back."""
    project, user = auth.project(state, request, Access.REPORTER)
    given, repository = parse(request, Revert), Repository(project.repository)
    refuse_push(state, project, user, given.branch)
    sha = await repository.resolve(request.params["sha"])
    if sha is None:
        raise HttpError(404, {"message": "404 Commit Not Found"})
    tip = await repository.branch(given.branch)
    if tip is None:
        raise HttpError(404, {"message": "404 Branch Not Found"})
    async with project.lock:
        made = await take_back(state, project, user, sha, onto=tip, branch=given.branch, dry_run=given.dry_run)
    if made is None:
        return Response.json({"dry_run": "success"})
    return Response.json(entities.commit(state, project, made), status=201)


def merged_by(project: Project, commit: Commit) -> MergeRequest | None:
    """Give the merge request whose merge commit this is (Commit#merged_merge_request)."""
    if len(commit.parents) < 2:
        return None
    return next((one for one in project.merge_requests.values() if one.merge_commit_sha == commit.id), None)


def description(project: Project, commit: Commit) -> str:
    """Say what is taken back (Commit#revert_description)."""
    mr = merged_by(project, commit)
    return f"This reverts commit {commit.id}" if mr is None else f"This reverts merge request !{mr.iid}"


def title(commit: Commit) -> str:
    """Give the title of the commit that takes one back (Commit#revert_message)."""
    return f'Revert "{commit.title.strip()}"'


async def take_back(
    state: State, project: Project, user: User, sha: str, *, onto: str, branch: str, dry_run: bool = False
) -> Commit | None:
    """Commit to a branch, which is made when it isn't there; None when that was only tried."""
    repository = Repository(project.repository)
    commit = await repository.commit(sha)
    tree = await merging.taken_back(repository, commit=commit, tip=onto)
    if tree is None or await merging.changes_nothing(repository, tree, onto):
        raise _refused(project, commit, code="conflict" if tree is None else "empty", dry_run=dry_run)
    if dry_run:
        return None
    by = Identity(name=user.name, email=entities.address(user), at=state.now())
    text = f"{title(commit)}\n\n{description(project, commit)}"
    made = await repository.write_commit(tree, parents=[onto], message=text, author=by, committer=by)
    ref, old = f"refs/heads/{branch}", await repository.branch(branch)
    if old is None:
        await create_ref(repository, branch, made)
    else:
        await repository.move(ref, new=made, old=old)
    await pushes.pushed(state, Push(project=project, user=user, ref=ref, before=old or NULL_SHA, after=made))
    return await repository.commit(made)


def _refused(project: Project, commit: Commit, *, code: str, dry_run: bool) -> HttpError:
    kind = "commit" if merged_by(project, commit) is None else "merge request"
    sentence = (
        f"Sorry, we cannot revert this {kind} automatically. This {kind} may already have been reverted, "
        "or a more recent commit may have updated some of its content."
    )
    tried = {"dry_run": "error"} if dry_run else {}
    return HttpError(400, {"message": sentence, "error_code": code, **tried})


ROUTES = (
    Route(
        "POST",
        "/api/v4/projects/:id/repository/commits/:sha/revert",
        revert,
        params=names(Revert),
        required=required(Revert),
    ),
)
