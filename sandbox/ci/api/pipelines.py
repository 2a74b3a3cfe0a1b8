"""Pipelines over REST: create, list, get, delete, cancel, retry, jobs, bridges. They are given inputs, no variables."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from sandbox.ci.engine import steering
from sandbox.ci.engine.site import NewPipeline
from sandbox.ci.errors import CiError, ConfigError
from sandbox.ci.instance import entities
from sandbox.ci.instance.instance import Ci
from sandbox.ci.records import COMPLETED, Job, Pipeline, Status
from sandbox.gitlab import auth
from sandbox.gitlab.api.given import number
from sandbox.gitlab.model import Access, Project, User
from sandbox.gitlab.paging import PAGE, page
from sandbox.gitlab.repository import Repository
from sandbox.http import HttpError, Request, Response, Route


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /projects/:id/pipeline`."""

    ref: str
    inputs: dict[str, str | int | float | bool | list[object]] = {}


def refused(message: str) -> HttpError:
    """Refuse as GitLab does where a pipeline can't be created."""
    return HttpError(400, {"message": {"base": [message]}})


async def create(ci: Ci, request: Request) -> Response:
    """Create a pipeline (source `api`)."""
    project, user = auth.project(ci.state, request, Access.DEVELOPER)
    try:
        given = msgspec.convert(request.fields(), Given)
    except msgspec.ValidationError as error:
        raise HttpError(400, {"error": str(error)}) from error
    sha = await Repository(project.repository).branch(given.ref)
    if sha is None:
        raise refused("Reference not found")
    _check_ref(ci, user, project, given.ref)
    try:
        made = await ci.engine.create(
            NewPipeline(
                project_id=project.id,
                ref=given.ref,
                sha=sha,
                source="api",
                user_id=user.id,
                protected=given.ref in project.protected_branches,
                inputs=dict(given.inputs),
            )
        )
    except ConfigError as error:
        raise refused("\n".join(error.errors)) from error
    except CiError as error:
        raise refused(str(error)) from error
    return Response.json(entities.pipeline(ci.site, made), status=201)


def _check_ref(ci: Ci, user: User, project: Project, ref: str) -> None:
    if ref in project.protected_branches and ci.state.access(user, project) < Access.MAINTAINER:
        raise refused(
            f"You do not have sufficient permission to run a pipeline on '{ref}'. "
            "Please select a different branch or contact your administrator for assistance."
        )


def of_project(ci: Ci, request: Request, at_least: Access) -> tuple[Pipeline, User]:
    """Find the pipeline of a route."""
    project, user = auth.project(ci.state, request, at_least)
    found = ci.engine.pipelines.get(number(request, "pipeline_id"))
    if found is None or found.project_id != project.id:
        raise HttpError(404, {"message": "404 Not found"})
    return found, user


def _may_update(ci: Ci, request: Request) -> tuple[Pipeline, User]:
    found, user = of_project(ci, request, Access.DEVELOPER)
    if found.protected and ci.state.access(user, ci.site.project(found.project_id)) < Access.MAINTAINER:
        raise HttpError(403, {"message": "403 Forbidden"})
    return found, user


_FILTERS: Final = ("source", "status", "ref", "sha", "name", "order_by", "sort", *PAGE)


def listed(ci: Ci, request: Request) -> Response:
    """List pipelines, newest first; children only where `source=parent_pipeline` asks for them."""
    project, _ = auth.project(ci.state, request, Access.REPORTER)
    found = [one for one in ci.engine.pipelines.values() if one.project_id == project.id]
    source = request.arg("source")
    found = [one for one in found if (one.source == source if source else one.parent is None)]
    filters: Mapping[str, Callable[[Pipeline], object]] = {
        "status": lambda one: one.status.value,
        "ref": lambda one: one.ref,
        "sha": lambda one: one.sha,
        "name": lambda one: one.name,
    }
    for name, read in filters.items():
        if wanted := request.arg(name):
            found = [one for one in found if read(one) == wanted]
    for name, only in (("order_by", "id"), ("sort", "desc")):  # GitLab's defaults, and all that the receiver asks for
        if request.arg(name, only) != only:
            raise HttpError(400, {"error": f"{name} does not have a valid value: only {only} is emulated"})
    return page(request, found[::-1], lambda one: entities.basic(ci.site, one), base_url=ci.state.url)


def get(ci: Ci, request: Request) -> Response:
    """Give one pipeline."""
    found, _ = of_project(ci, request, Access.REPORTER)
    return Response.json(entities.pipeline(ci.site, found))


def delete(ci: Ci, request: Request) -> Response:
    """Delete a pipeline with its jobs; the project's owner may."""
    found, _ = of_project(ci, request, Access.OWNER)
    if found.status not in COMPLETED:
        steering.cancel(ci.engine, found)
    steering.forget(ci.engine, found)
    return Response(status=204)


def cancel(ci: Ci, request: Request) -> Response:
    """Cancel what still can be canceled; 200 in any state."""
    found, _ = _may_update(ci, request)
    steering.cancel(ci.engine, found)
    return Response.json(entities.pipeline(ci.site, found))


def retry(ci: Ci, request: Request) -> Response:
    """Run failed and canceled jobs again."""
    found, user = _may_update(ci, request)
    steering.retry(ci.engine, found, user_id=user.id)
    return Response.json(entities.pipeline(ci.site, found), status=201)


def jobs(ci: Ci, request: Request) -> Response:
    """List a pipeline's jobs, newest first; trigger jobs are not among them."""
    found, _ = of_project(ci, request, Access.REPORTER)
    everything = request.arg("include_retried").lower() in {"true", "1"}
    chosen = [one for one in (found.jobs if everything else found.latest()) if not one.is_bridge]
    return page(request, scoped(request, chosen[::-1]), lambda one: entities.job(ci.site, one), base_url=ci.state.url)


def scoped(request: Request, found: list[Job]) -> list[Job]:
    """Keep the jobs whose status is one of `scope`."""
    wanted = request.args("scope")
    if unknown := set(wanted) - {one.value for one in Status}:
        raise HttpError(400, {"error": f"scope does not have a valid value: {', '.join(sorted(unknown))}"})
    return [one for one in found if not wanted or one.status.value in wanted]


def bridges(ci: Ci, request: Request) -> Response:
    """List a pipeline's trigger jobs with the pipelines that they started."""
    found, _ = of_project(ci, request, Access.REPORTER)
    chosen = [one for one in found.latest() if one.is_bridge]
    return page(
        request, scoped(request, chosen[::-1]), lambda one: entities.bridge(ci.site, one), base_url=ci.state.url
    )


_ONE: Final = "/api/v4/projects/:id/pipelines/:pipeline_id"
ROUTES = (
    Route("POST", "/api/v4/projects/:id/pipeline", create, params=("inputs",), required=("ref",)),
    Route("GET", "/api/v4/projects/:id/pipelines", listed, query=_FILTERS),
    Route("GET", _ONE, get),
    Route("DELETE", _ONE, delete),
    Route("POST", f"{_ONE}/cancel", cancel),
    Route("POST", f"{_ONE}/retry", retry),
    Route("GET", f"{_ONE}/jobs", jobs, query=("scope", "include_retried", *PAGE)),
    Route("GET", f"{_ONE}/bridges", bridges, query=("scope", *PAGE)),
)
