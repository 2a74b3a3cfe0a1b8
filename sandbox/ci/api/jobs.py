"""Jobs over REST: get, log, artifacts, cancel, retry, play.

Trigger jobs are not found here, as in GitLab: they are bridges of their pipeline.
"""

import zipfile
from pathlib import Path

from sandbox.ci.engine import steering
from sandbox.ci.engine.orders import expired
from sandbox.ci.instance import entities
from sandbox.ci.instance.instance import Ci
from sandbox.ci.records import CANCELABLE, COMPLETED, Archive, Job, Status
from sandbox.gitlab import auth
from sandbox.gitlab.api.given import number
from sandbox.gitlab.auth import JobToken
from sandbox.gitlab.model import Access, User
from sandbox.http import HttpError, Request, Response, Route

NOT_FOUND = {"message": "404 Not found"}
_ARTIFACT_ROLE = {
    "all": Access.REPORTER,
    "developer": Access.DEVELOPER,
    "maintainer": Access.MAINTAINER,
    "none": Access.ADMIN,
}


def _job(ci: Ci, request: Request, at_least: Access, *, job_token: JobToken = JobToken.REFUSED) -> tuple[Job, User]:
    project, user = auth.project(ci.state, request, at_least, job_token=job_token)
    found = ci.engine.jobs.get(number(request, "job_id"))
    if found is None or found.is_bridge or found.pipeline.project_id != project.id:
        raise HttpError(404, NOT_FOUND)
    return found, user


def _may_update(ci: Ci, request: Request) -> tuple[Job, User]:
    found, user = _job(ci, request, Access.DEVELOPER)
    project = ci.site.project(found.pipeline.project_id)
    if found.pipeline.protected and ci.state.access(user, project) < Access.MAINTAINER:
        raise HttpError(403, {"message": "403 Forbidden"})
    return found, user


def get(ci: Ci, request: Request) -> Response:
    """Give one job."""
    found, _ = _job(ci, request, Access.REPORTER)
    return Response.json(entities.job(ci.site, found))


def trace(ci: Ci, request: Request) -> Response:
    """Give the log as far as it is written."""
    found, _ = _job(ci, request, Access.REPORTER)
    body = found.log.read_bytes() if found.log is not None and found.log.exists() else b""
    return Response(body=body, headers={"content-type": "text/plain; charset=utf-8"})


def _archive(ci: Ci, request: Request) -> Archive:
    found, user = _job(ci, request, Access.REPORTER, job_token=JobToken.ACCEPTED)
    if found.archive is None or expired(found, ci.site):
        raise HttpError(404, NOT_FOUND)
    if ci.state.access(user, ci.site.project(found.pipeline.project_id)) < _ARTIFACT_ROLE[found.archive.access]:
        raise HttpError(403, {"message": "403 Forbidden"})
    return found.archive


def artifacts(ci: Ci, request: Request) -> Response:
    """Give the whole archive."""
    archive = _archive(ci, request)
    headers = {
        "content-type": "application/zip",
        "content-disposition": f'attachment; filename="{Path(archive.filename).name}"',
    }
    return Response(body=archive.path.read_bytes(), headers=headers)


def artifact(ci: Ci, request: Request) -> Response:
    """Give one file of the archive."""
    archive = _archive(ci, request)
    with zipfile.ZipFile(archive.path) as content:
        try:
            body = content.read(request.params["artifact_path"])
        except KeyError as error:
            raise HttpError(404, NOT_FOUND) from error
    return Response(body=body, headers={"content-type": "application/octet-stream"})


def cancel(ci: Ci, request: Request) -> Response:
    """Cancel a job."""
    found, _ = _may_update(ci, request)
    if found.status not in CANCELABLE | {Status.CANCELING}:
        raise HttpError(403, {"message": "403 Forbidden - Job is not cancelable"})
    steering.cancel_job(ci.engine, found)
    ci.engine.advance(found.pipeline)
    return Response.json(entities.job(ci.site, found), status=201)


def retry(ci: Ci, request: Request) -> Response:
    """Run a finished job again, as a new job."""
    found, user = _may_update(ci, request)
    if found.retried or found.status not in COMPLETED - {Status.SKIPPED}:
        raise HttpError(403, {"message": "403 Forbidden - Job is not retryable"})
    new = steering.again(ci.engine, found, user_id=user.id)
    ci.engine.advance(new.pipeline)
    return Response.json(entities.job(ci.site, new), status=201)


def play(ci: Ci, request: Request) -> Response:
    """Start a manual or delayed job."""
    found, user = _may_update(ci, request)
    if found.status not in {Status.MANUAL, Status.SCHEDULED}:
        raise HttpError(400, {"message": "400 Bad request - Unplayable Job"})
    found.user_id = user.id
    ci.engine.reopen(found.pipeline)
    ci.engine.enqueue(found)
    ci.engine.advance(found.pipeline)
    return Response.json(entities.job(ci.site, found))


_ONE = "/api/v4/projects/:id/jobs/:job_id"
ROUTES = (
    Route("GET", _ONE, get),
    Route("GET", f"{_ONE}/trace", trace),
    Route("GET", f"{_ONE}/artifacts", artifacts),
    Route("GET", f"{_ONE}/artifacts/*artifact_path", artifact),
    Route("POST", f"{_ONE}/cancel", cancel),
    Route("POST", f"{_ONE}/retry", retry),
    Route("POST", f"{_ONE}/play", play),
)
