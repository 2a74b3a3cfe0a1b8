"""Who is asking, and what they may do: 401 without a valid token, 404 for what they may not see, 403 for the rest.

A job token speaks for the user who started the pipeline, and only on the routes that GitLab opens to it
(doc/ci/jobs/ci_job_token.md): call `project(…, job_token=JobToken.ACCEPTED)` there.
"""

from dataclasses import dataclass
from enum import Enum

from sandbox.gitlab.model import Access, JobSubject, Project, User
from sandbox.gitlab.state import State
from sandbox.http import HttpError, Request


class JobToken(Enum):
    """Whether a route is open to job tokens."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True)
class Subject:
    """The user who asks, with the token's scopes; `job` when a job token was used."""

    user: User
    scopes: frozenset[str]
    job: JobSubject | None = None


def subject(state: State, request: Request, *, job_token: JobToken = JobToken.REFUSED) -> Subject:
    """Find who asks, or raise 401; 403 when the token's scopes do not cover the method."""
    headers = request.headers
    bearer = headers.get("authorization", "").partition(" ")
    value = headers.get("private-token") or (bearer[2] if bearer[0].lower() == "bearer" else "")
    job_value = headers.get("job-token", "")
    if job_value and job_token is JobToken.ACCEPTED:
        return from_job_token(state, job_value)
    token = state.tokens.get(value)
    user = state.users.get(token.user_id) if token else None
    if token is None or user is None or job_value:
        raise HttpError(401, {"message": "401 Unauthorized"})
    if user.state != "active":
        raise HttpError(403, {"message": "403 Forbidden - Your account has been blocked."})
    reading = request.method in {"GET", "HEAD"}
    if not token.scopes & ({"api", "read_api"} if reading else {"api"}):
        raise HttpError(
            403,
            {
                "error": "insufficient_scope",
                "error_description": "The request requires higher privileges than provided by the access token.",
                "scope": "api read_api" if reading else "api",
            },
        )
    return Subject(user, token.scopes)


def from_job_token(state: State, value: str) -> Subject:
    """Find whom a job token speaks for, or raise 401."""
    job = state.job_token_subject(value)
    user = state.users.get(job.user_id) if job else None
    if job is None or user is None or user.state != "active":
        raise HttpError(401, {"message": "401 Unauthorized"})
    return Subject(user, frozenset({"job"}), job)


def project(
    state: State, request: Request, at_least: Access = Access.GUEST, *, job_token: JobToken = JobToken.REFUSED
) -> tuple[Project, User]:
    """Give the project of the route's `:id` and the user who asks, or raise 401, 404 or 403."""
    who = subject(state, request, job_token=job_token)
    return visible(state, who, request.params["id"], at_least), who.user


def visible(state: State, who: Subject, key: str, at_least: Access = Access.GUEST) -> Project:
    """Give the project when the subject may see it (404) and has this access level (403)."""
    found = state.project(key)
    level = state.access(who.user, found) if found else Access.NONE
    if found is None or level < Access.GUEST or not _token_reaches(who.job, found):
        raise HttpError(404, {"message": "404 Project Not Found"})
    if level < at_least:
        raise HttpError(403, {"message": "403 Forbidden"})
    return found


def _token_reaches(job: JobSubject | None, project: Project) -> bool:
    return job is None or job.project_id == project.id or job.project_id in project.job_token_allowlist
