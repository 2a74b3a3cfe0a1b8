"""Merge trains: list cars, put a merge request on a train, take it from one (ee/lib/api/merge_trains.rb)."""

import msgspec

from sandbox.gitlab import auth, entities, head_pipeline, merge_trains, mergeable, review
from sandbox.gitlab.api.given import names, parse
from sandbox.gitlab.api.merge_requests import find
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_train_model import Car
from sandbox.gitlab.model import Access, Project
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request, Response, Route

_PIPELINE = ("id", "iid", "project_id", "sha", "ref", "status", "source", "created_at", "updated_at", "web_url")


class Boarding(msgspec.Struct, frozen=True, kw_only=True):
    """How to put a merge request on a train."""

    sha: str | None = None
    """Only if this still is the head."""


def _shape(state: State, project: Project, car: Car) -> Json:
    """Shape EE::API::Entities::MergeTrains::Car."""
    mr = project.merge_requests[car.iid]
    pipeline = state.pipelines.get(car.pipeline_id) if car.pipeline_id else None
    took = None if car.merged_at is None else int((car.merged_at - car.created_at).total_seconds())
    return {
        "id": car.id,
        "merge_request": {
            "id": mr.id,
            "iid": mr.iid,
            "project_id": mr.project_id,
            "title": mr.title,
            "description": mr.description,
            "state": mr.state,
            "created_at": entities.stamp(mr.created_at),
            "updated_at": entities.stamp(mr.updated_at),
            "web_url": f"{state.url}/{project.path_with_namespace}/-/merge_requests/{mr.iid}",
        },
        "user": entities.user_basic(state, car.user_id),
        "pipeline": None if pipeline is None else {key: pipeline[key] for key in _PIPELINE},
        "created_at": entities.stamp(car.created_at),
        "updated_at": entities.stamp(car.updated_at),
        "target_branch": car.target_branch,
        "status": car.status.value,
        "merged_at": entities.stamp(car.merged_at),
        "duration": took,
    }


def listed(state: State, request: Request) -> Response:
    """List the cars of all trains, or of one, newest first unless told otherwise."""
    project, _ = auth.project(state, request, Access.REPORTER)
    found = [one for one in project.cars if request.params.get("branch") in {None, one.target_branch}]
    scope, sort = request.arg("scope"), request.arg("sort", "desc")
    if scope not in {"", "active", "complete"}:
        raise HttpError(400, {"error": "scope does not have a valid value"})
    if sort not in {"asc", "desc"}:
        raise HttpError(400, {"error": "sort does not have a valid value"})
    if scope:
        found = [one for one in found if one.is_active is (scope == "active")]
    found.sort(key=lambda one: one.id, reverse=sort == "desc")
    return page(request, found, lambda one: _shape(state, project, one), base_url=state.url)


def get(state: State, request: Request) -> Response:
    """Give the car of a merge request."""
    project, _, mr = find(state, request)
    car = merge_trains.car_of(project, mr)
    if car is None:
        raise HttpError(404, {"message": "404 Merge Train Merge Request Not Found"})
    return Response.json(_shape(state, project, car))


async def add(state: State, request: Request) -> Response:
    """Put a merge request on its target's train, and give the train."""
    project, user, mr = find(state, request)
    how = parse(request, Boarding)
    if how.sha and how.sha != mr.sha:
        raise HttpError(409, {"message": f"SHA does not match HEAD of source branch: {mr.sha}"})
    if not review.can_merge(state, project, mr, user):
        raise HttpError(401, {"message": "401 Unauthorized"})
    if mr.auto_merge_user_id is not None:
        raise HttpError(409, {"message": "Merge request is already set to Auto-Merge"})
    if not merge_trains.enabled(state, project):
        raise HttpError(400, {"message": "400 Bad request - Merge trains are not enabled for this project"})
    async with project.lock:
        pipeline = head_pipeline.of_head(state, project, mr)
        is_tested = pipeline is not None and pipeline["status"] in mergeable.COMPLETED
        if not is_tested or not await mergeable.can_merge_now(state, project, mr, whatever_ci=True):
            raise HttpError(400, {"message": "400 Bad request - No available merge train strategy"})
        merge_trains.board(state, project, mr, user)
        cars = merge_trains.train(project, mr.target_branch)
    return Response.json([_shape(state, project, one) for one in cars], status=201)


async def cancel(state: State, request: Request) -> Response:
    """Take a merge request from its train."""
    project, user, mr = find(state, request)
    if not review.can_merge(state, project, mr, user) and user.id != mr.author_id:
        raise HttpError(401, {"message": "401 Unauthorized"})
    async with project.lock:
        car = merge_trains.car_of(project, mr)
        if car is None or not car.is_active:
            raise HttpError(406, {"message": "Can't cancel the automatic merge"})
        await merge_trains.leave(state, project, car, user)
    return Response.json({"status": "success"}, status=201)


_TRAINS = "/api/v4/projects/:id/merge_trains"
_LIST = ("scope", "sort", *PAGE)
ROUTES = (
    Route("GET", _TRAINS, listed, query=_LIST),
    Route("GET", f"{_TRAINS}/:branch", listed, query=_LIST),
    Route("GET", f"{_TRAINS}/merge_requests/:iid", get),
    Route("POST", f"{_TRAINS}/merge_requests/:iid", add, params=names(Boarding)),
    Route("POST", "/api/v4/projects/:id/merge_requests/:iid/cancel_merge_when_pipeline_succeeds", cancel),
)
