"""Let a merge request come into its target: the merge itself, and what follows. Whether it may is judged elsewhere."""

from sandbox.gitlab import activity, entities, merging, pushes, refresh
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.merge_train_model import Car
from sandbox.gitlab.model import MergeMethod, Project, Push, User
from sandbox.gitlab.repository import NULL_SHA, Identity, Repository
from sandbox.gitlab.state import State

CONFLICT = "Conflicts detected during merge"


class NotLanded(Exception):  # noqa: N818 - named for what happened
    """The merge has failed; the merge request's `merge_error` says why."""


def identity(state: State, user: User) -> Identity:
    """Give the author of a merge: who asked for it."""
    return Identity(name=user.name, email=entities.address(user), at=state.now())


def message(project: Project, mr: MergeRequest) -> str:
    """Give the text of a merge commit (`default_merge_commit_message`)."""
    return (
        f"Merge branch '{mr.source_branch}' into '{mr.target_branch}'\n\n{mr.title}\n\n"
        f"See merge request {project.path_with_namespace}!{mr.iid}"
    )


async def land(
    state: State,
    project: Project,
    mr: MergeRequest,
    user: User,
    *,
    text: str | None = None,
    remove_source: bool | None = None,
    train: Car | None = None,
) -> None:
    """Merge by the project's method, or take the commits that a merge train has made."""
    repository = Repository(project.repository)
    target = await repository.branch(mr.target_branch)
    error, mr.next_failure = mr.next_failure, None
    if error is not None or target is None:
        mr.merge_error = error
        raise NotLanded
    if train is not None:
        sha, mr.merge_commit_sha = train.sha, train.merge_commit_sha
    elif project.settings.merge_method is MergeMethod.FAST_FORWARD:
        sha = mr.sha
    else:
        made = await merging.merge_commit(
            repository, target=target, head=mr.sha, message=text or message(project, mr), by=identity(state, user)
        )
        if made is None:
            mr.merge_error = CONFLICT
            raise NotLanded
        sha = mr.merge_commit_sha = made
    ref = f"refs/heads/{mr.target_branch}"
    await repository.move(ref, new=sha, old=target)
    refresh.mark_merged(state, mr, user)
    await pushes.pushed(state, Push(project=project, user=user, ref=ref, before=target, after=sha))
    await activity.merge_request_changed(state, project, mr, user, action="merge")
    if mr.remove_source_branch if remove_source is None else remove_source:
        await _remove_source(state, project, mr, user)


async def _remove_source(state: State, project: Project, mr: MergeRequest, user: User) -> None:
    repository = Repository(project.repository)
    head = await repository.branch(mr.source_branch)
    if head is None or mr.source_branch in project.protected_branches:
        return
    ref = f"refs/heads/{mr.source_branch}"
    await repository.move(ref, new=NULL_SHA, old=head)
    await pushes.pushed(state, Push(project=project, user=user, ref=ref, before=head, after=NULL_SHA))
