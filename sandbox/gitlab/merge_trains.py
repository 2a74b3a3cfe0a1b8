"""Merge trains: merge requests that come in one after the other, each tested with those in front of it. Premium.

Sources: EE's MergeTrains::RefreshMergeRequestService, MergeTrains::Car, AutoMerge::MergeTrainService. GitLab looks at a
train whenever a car gets on, a pipeline of it is over, or a branch has moved; so does the CI engine here (`refresh`).
"""

from sandbox.gitlab import activity, landing, mergeable, merging
from sandbox.gitlab.landing import NotLanded
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.merge_train_model import Car, CarStatus
from sandbox.gitlab.model import MergeMethod, Project, Tier, User
from sandbox.gitlab.repository import NULL_SHA, Repository
from sandbox.gitlab.state import NoPipeline, State


class Dropped(Exception):  # noqa: N818 - named for what happened
    """Why a car has to leave its train."""


def enabled(state: State, project: Project) -> bool:
    """Whether a project's merge requests can take a train."""
    settings = project.settings
    return state.tier is Tier.PREMIUM and settings.merge_pipelines_enabled and settings.merge_trains_enabled


def train(project: Project, target_branch: str) -> list[Car]:
    """Give the cars that wait to come into a branch, the first one first."""
    return [one for one in project.cars if one.is_active and one.target_branch == target_branch]


def car_of(project: Project, mr: MergeRequest) -> Car | None:
    """Give the newest car of a merge request, whether it waits or has come in."""
    return next((one for one in reversed(project.cars) if one.iid == mr.iid), None)


def board(state: State, project: Project, mr: MergeRequest, user: User) -> None:
    """Put a merge request at the end of its target's train."""
    now = state.now()
    car = Car(
        id=state.next_id("merge_train_car"),
        iid=mr.iid,
        target_branch=mr.target_branch,
        user_id=user.id,
        head_sha=mr.sha,
        created_at=now,
        updated_at=now,
    )
    project.cars.append(car)
    mr.auto_merge_user_id = user.id
    position = len(train(project, mr.target_branch))
    joined = f"added this merge request to the merge train at position {position}"
    activity.system_note(state, mr, user, "started a merge train" if position == 1 else joined)
    state.pipelines.train_changed(project, mr.target_branch)


async def leave(state: State, project: Project, car: Car, actor: User, *, why: str | None = None) -> None:
    """Take a car from its train: because somebody wants it, or GitLab for a reason. Those behind start anew."""
    behind = train(project, car.target_branch)
    behind = behind[behind.index(car) + 1 :]
    project.cars.remove(car)
    if car.pipeline_id is not None:
        state.pipelines.cancel(car.pipeline_id)
    if car.sha:
        await Repository(project.repository).move(car.ref, new=NULL_SHA, old=car.sha)
    mr = project.merge_requests[car.iid]
    mr.auto_merge_user_id = None
    left = "removed this merge request from the merge train"
    activity.system_note(state, mr, actor, f"{left} because {why}" if why else left)
    if behind:
        _set(state, behind[0], CarStatus.STALE)
        state.pipelines.train_changed(project, car.target_branch)


async def refresh(state: State, project: Project, target_branch: str) -> None:
    """Look at each car: drop it, make its pipeline, let it come in, or leave it waiting."""
    anew = False
    for car in train(project, target_branch):
        try:
            anew = await _refresh(state, project, car, anew=anew)
        except Dropped as dropped:
            await leave(state, project, car, state.users[car.user_id], why=str(dropped))
            anew = True


async def _refresh(state: State, project: Project, car: Car, *, anew: bool) -> bool:
    """Give whether it got a pipeline, and so those behind it need another one."""
    mr = project.merge_requests[car.iid]
    _check(state, project, car, mr)
    cars = train(project, car.target_branch)
    is_first, in_front = cars[0] is car, cars[cars.index(car) - 1]
    target = await Repository(project.repository).branch(car.target_branch)
    if target is None:
        raise Dropped(_explained(state, "the previous ref does not exist"))
    foreign = is_first and target not in {car.base_sha, *(one.landed_sha for one in project.cars)}
    if anew or foreign or car.status is not CarStatus.FRESH:
        await _start(state, project, car, mr, base=target if is_first else in_front.sha)
        return True
    pipeline = state.pipelines.get(car.pipeline_id or 0)
    if is_first and pipeline is not None and pipeline["status"] == "success":
        await _land(state, project, car, mr)
    return False


def _check(state: State, project: Project, car: Car, mr: MergeRequest) -> None:
    pipeline = state.pipelines.get(car.pipeline_id) if car.pipeline_id else None
    failed = pipeline is not None and pipeline["status"] in mergeable.COMPLETED - {"success"}
    for holds, why in (
        (not enabled(state, project), "merge trains are disabled for this project."),
        (mr.state != "opened", _explained(state, "the merge request is closed")),
        (mr.sha != car.head_sha, "source branch was updated"),
        (mergeable.is_draft(mr.title), _explained(state, "the merge request is marked as draft")),
        (failed and car.status is CarStatus.FRESH, _explained(state, "the pipeline did not succeed")),
    ):
        if holds:
            raise Dropped(why)


def _explained(state: State, why: str) -> str:
    page = f"{state.url}/help/ci/pipelines/merge_trains.md#merge-request-dropped-from-the-merge-train"
    return f"{why}. [Learn more]({page})."


async def _start(state: State, project: Project, car: Car, mr: MergeRequest, *, base: str) -> None:
    repository, old = Repository(project.repository), car.sha
    sha = await _train_commit(state, project, car, mr, base=base)
    if sha is None:
        why = f"Failed to create merge commit for source_sha {mr.sha} and target_sha {base} at {car.ref}"
        raise Dropped(_explained(state, f"the merge train pipeline could not be prepared: {why}"))
    await repository.move(car.ref, new=sha, old=old or NULL_SHA)
    car.base_sha, car.sha = base, sha
    if car.pipeline_id is not None:
        state.pipelines.cancel(car.pipeline_id)
    try:
        car.pipeline_id = await state.pipelines.start_train(project, mr, car)
    except NoPipeline as error:
        why = str(error).removesuffix(".")
        raise Dropped(_explained(state, f"the merge train pipeline could not be prepared: {why}")) from error
    _set(state, car, CarStatus.FRESH)


async def _train_commit(state: State, project: Project, car: Car, mr: MergeRequest, *, base: str) -> str | None:
    """Write what the target would be with this car and those in front of it; None when they conflict."""
    repository, by = Repository(project.repository), landing.identity(state, state.users[car.user_id])
    head: str | None = mr.sha
    if project.settings.merge_method is not MergeMethod.MERGE:
        fork = await repository.merge_base(base, mr.sha) or base
        if fork != base:
            head = await merging.rebased(repository, onto=base, base=fork, head=mr.sha, by=by)
    if head is None or project.settings.merge_method is MergeMethod.FAST_FORWARD:
        return head
    text = landing.message(project, mr)
    car.merge_commit_sha = await merging.merge_commit(repository, target=base, head=head, message=text, by=by)
    return car.merge_commit_sha


async def _land(state: State, project: Project, car: Car, mr: MergeRequest) -> None:
    _set(state, car, CarStatus.MERGING)
    made_by_train = car if project.settings.merge_method is not MergeMethod.MERGE else None
    try:
        await landing.land(state, project, mr, state.users[car.user_id], train=made_by_train)
    except NotLanded as error:
        _set(state, car, CarStatus.FRESH)
        raise Dropped(f"the merge could not be completed. {mr.merge_error or ''}".strip()) from error
    _set(state, car, CarStatus.MERGED)
    repository = Repository(project.repository)
    car.merged_at, car.landed_sha = car.updated_at, await repository.branch(car.target_branch) or ""
    await repository.move(car.ref, new=NULL_SHA, old=car.sha)
    state.pipelines.train_changed(project, car.target_branch)


def _set(state: State, car: Car, status: CarStatus) -> None:
    car.status, car.updated_at = status, state.now()
