"""The job API: sessions, RunSpecs, blobs, reports. HTTP for `receiver.jobs` and the store; decides nothing."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import structlog
from litestar import Request, Response, get, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from pipelines.language import Phase, PhaseReport
from pipelines.language.report_seal import MAX_REPORT
from pipelines.language.repository_context import MAX_CONTEXT, RepositoryContext
from pipelines.language.wire import MAX_BLOB, InputSource, ReportTaken, Session, SessionRequest, decode, encode, sha256
from receiver import limits
from receiver.jobs.admission import RUN_ID, ClaimedError, TokenError, UnknownYetError
from receiver.jobs.identity import ForeignProjectError, IdentityError
from receiver.jobs.issuer_keys import IssuerError
from receiver.jobs.report_checks import misdirected, problems, read
from receiver.jobs.run_specs import BarredError, NotYetError, build
from receiver.outbound.errors import OutboundError
from receiver.store.effects import outbox
from receiver.store.jobs import blobs, contexts, job_refusals, sessions, submissions
from receiver.store.jobs.blobs import TooMuchError
from receiver.store.jobs.sessions import JobSession
from receiver.store.jobs.submissions import Kept
from receiver.store.run import runs
from receiver.web.problems import problem
from receiver.web.services import Services
from receiver.workflow.effects import CancelPipeline, SettleReports
from receiver.workflow.events.pipeline_events import PipelineId

log = structlog.get_logger()


REFUSALS: dict[type[Exception], tuple[int, int | None]] = {
    TokenError: (401, None),
    ForeignProjectError: (403, None),
    IdentityError: (403, None),
    UnknownYetError: (425, limits.UNKNOWN_JOB_RETRY_S),
}
"""How the doorkeeper's refusals are answered: status, and seconds after which to ask again."""

JobRequest = Request[None, None, State]


def _json(document: msgspec.Struct | Mapping[str, object], status: int) -> Response[bytes]:
    body = encode(document) if isinstance(document, msgspec.Struct) else msgspec.json.encode(document)
    return Response(body, status_code=status, media_type="application/json")


def bearer(request: JobRequest) -> str:
    """Return the bearer token of a request; empty if it has none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def session_of(request: JobRequest, services: Services) -> JobSession | None:
    """Return the request's valid session, or None; a request without one is logged."""
    found: JobSession | None = None
    if token := bearer(request):
        async with services.database.begin() as session:
            found = await sessions.find(session, token, now=services.clock())
    if found is None:
        log_unknown(request)
    return found


def log_unknown(request: JobRequest) -> None:
    """Log that somebody showed no session token that lives; never the token."""
    client = request.client.host if request.client else None
    log.warning("session.unknown", method=request.method, path=request.url.path[:200], client=client)


NO_SESSION = "No living session: get one with the job's ID token at /api/jobs/session."


@post("/api/jobs/session", status_code=201)
async def open_session(request: JobRequest, services: NamedDependency[Services]) -> Response[bytes]:
    """Exchange a job's GitLab ID token, once, for a session."""
    try:
        wanted = decode(await request.body(), SessionRequest)
    except msgspec.MsgspecError as error:
        return problem(400, f"Not a session request: {error}")
    try:
        token, expires = await services.doorkeeper.admit(bearer(request), wanted)
    except ClaimedError as error:
        await _cancel(services, wanted, error)
        return problem(409, str(error))
    except tuple(REFUSALS) as error:
        status, retry_after_s = REFUSALS[type(error)]
        log.warning("job.refused", run=wanted.run[:16], phase=wanted.phase, status=status, reason=str(error))
        if isinstance(error, IdentityError):  # the job's token is of the run's automation project
            await _record(services, wanted, str(error))
        return problem(status, str(error), retry_after_s=retry_after_s)
    except (OutboundError, IssuerError) as error:
        log.warning("job.not_checked", run=wanted.run[:16], phase=wanted.phase, reason=f"{type(error).__name__}")
        return problem(
            503,
            f"GitLab can't be asked who this job is ({type(error).__name__}).",
            retry_after_s=limits.GITLAB_AWAY_RETRY_S,
        )
    gateway = f"{services.settings.public_url.rstrip('/')}/gateway"
    return _json(Session(token=token, expires_at=expires.isoformat(), gateway_url=gateway), 201)


async def _record(services: Services, wanted: SessionRequest, reason: str) -> None:
    """Record the refusal of a job in the story of the run that it named, if that run exists."""
    refusal = job_refusals.Refusal(job=None, phase=wanted.phase, repository=wanted.repository, reason=reason)
    async with services.database.begin() as session:
        if RUN_ID.fullmatch(wanted.run) and await runs.exists(session, wanted.run):
            await job_refusals.record(session, wanted.run, refusal, now=services.clock())


async def _cancel(services: Services, wanted: SessionRequest, error: ClaimedError) -> None:
    """Cancel a pipeline that is not the one of its iteration."""
    log.warning("job.claimed", run=wanted.run, pipeline=error.pipeline, reason=str(error))
    effect = CancelPipeline(project_id=error.project_id, pipeline=PipelineId(error.pipeline), reason=str(error))
    async with services.database.begin() as session:
        origin = f"claimed:{error.pipeline}"
        refusal = job_refusals.Refusal(job=None, phase=wanted.phase, repository=wanted.repository, reason=str(error))
        await job_refusals.record(session, wanted.run, refusal, now=services.clock())
        await outbox.store(session, wanted.run, (effect,), decision=None, origin=origin, now=services.clock())


@get("/api/jobs/spec")
async def read_spec(request: JobRequest, services: NamedDependency[Services]) -> Response[bytes]:
    """Tell a job what to do."""
    job = await session_of(request, services)
    if job is None:
        return problem(401, NO_SESSION)
    try:
        async with services.database.begin() as session:
            spec = await build(session, job, gitlab_url=services.settings.gitlab_url.rstrip("/"))
    except NotYetError as error:
        await _nudge(services, job)
        return problem(425, str(error), retry_after_s=limits.UNKNOWN_JOB_RETRY_S)
    except BarredError as error:
        return problem(409, str(error))
    return _json(spec, 200)


async def _nudge(services: Services, job: JobSession) -> None:
    """Ask GitLab about pending reports, at most once in a while, in case its hook was lost."""
    now = services.clock()
    origin = f"waiting:{job.job_id}:{int(now.timestamp()) // limits.ASK_GITLAB_EVERY_S}"
    effect = SettleReports(iteration=job.iteration)
    async with services.database.begin() as session:
        await outbox.store(session, job.run, (effect,), decision=None, origin=origin, now=now)


@put("/api/jobs/blobs/{digest:str}", request_max_body_size=MAX_BLOB)
async def keep_blob(request: JobRequest, services: NamedDependency[Services], digest: FromPath[str]) -> Response[bytes]:
    """Keep bytes under their hash."""
    job = await session_of(request, services)
    if job is None:
        return problem(401, NO_SESSION)
    content = await request.body()
    if sha256(content) != digest:
        return problem(422, f"The bytes have the SHA-256 {sha256(content)}, not {digest[:80]}.")
    days = services.settings.evidence_retention_days
    try:
        async with services.database.begin() as session:
            _, new = await blobs.keep(session, content, run=job.run, now=services.clock(), retention_days=days)
    except TooMuchError as error:
        return problem(413, str(error))
    return _json({"sha256": digest}, 201 if new else 200)


@get("/api/jobs/blobs/{digest:str}")
async def read_blob(request: JobRequest, services: NamedDependency[Services], digest: FromPath[str]) -> Response[bytes]:
    """Give a job the bytes of an input that its RunSpec names, and no others."""
    job = await session_of(request, services)
    if job is None:
        return problem(401, NO_SESSION)
    try:
        async with services.database.begin() as session:
            spec = await build(session, job, gitlab_url=services.settings.gitlab_url.rstrip("/"))
            named = {one.artifact.sha256 for one in spec.inputs if one.source is InputSource.RECEIVER}
            content = await blobs.read(session, digest, run=job.run) if digest in named else None
    except NotYetError as error:
        return problem(425, str(error), retry_after_s=limits.UNKNOWN_JOB_RETRY_S)
    except BarredError as error:
        return problem(409, str(error))
    if content is None:
        return problem(404, f"No input of this job has the SHA-256 {digest[:80]}, or it is not kept any more.")
    return Response(content, status_code=200, media_type="application/octet-stream")


@put("/api/jobs/contexts", request_max_body_size=MAX_CONTEXT)
async def keep_context(request: JobRequest, services: NamedDependency[Services]) -> Response[bytes]:
    """Keep what analysis built of a repository. Only analysis may: it runs no code of the repositories."""
    job = await session_of(request, services)
    if job is None:
        return problem(401, NO_SESSION)
    try:
        context = decode(await request.body(), RepositoryContext)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        return problem(400, f"Not a repository's context: {error}")
    async with services.database.begin() as session:
        facts = await runs.facts(session, job.run)
        if job.phase is not Phase.ANALYSIS or facts.base_shas.get(context.repository) != context.commit:
            sentence = f"A {job.phase} job may not say what {context.repository[:100]} is at {context.commit[:12]}."
            await job_refusals.record(session, job.run, job_refusals.of(job, sentence), now=services.clock())
            return problem(403, sentence)
        new = await contexts.keep(session, context, run=job.run, now=services.clock())
    return _json({"repository": context.repository}, 201 if new else 200)


@post("/api/jobs/report", status_code=202, request_max_body_size=MAX_REPORT)
async def take_report(request: JobRequest, services: NamedDependency[Services]) -> Response[bytes]:
    """Take a job's report; it counts once GitLab says how the job ended."""
    job = await session_of(request, services)
    if job is None:
        return problem(401, NO_SESSION)
    try:
        report = read(await request.body())
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        return problem(400, f"Not a report: {error}")
    elsewhere = misdirected(report, run=job.run, pipeline=job.pipeline, phase=job.phase, repository=job.repository)
    if elsewhere is not None:
        return await _refuse_report(services, job, 403, elsewhere)
    if wrong := await _wrong(services, job, report):
        return problem(422, " ".join(wrong[: limits.REPORT_PROBLEMS]))
    async with services.database.begin() as session:
        kept = await submissions.keep_report(session, report, job=job, now=services.clock())
        audience = (await runs.facts(session, job.run)).audience
    if kept is Kept.SECOND:
        return await _refuse_report(services, job, 409, "This job has reported already, and said something else.")
    log.info("report.received", run=job.run, job=job.job_id, phase=job.phase, outcome=report.outcome, kept=kept.value)
    return _json(ReportTaken(confidential=not audience.is_public), 202)


async def _refuse_report(services: Services, job: JobSession, status: int, sentence: str) -> Response[bytes]:
    log.warning("report.refused", run=job.run, job=job.job_id, phase=job.phase, reason=sentence)
    async with services.database.begin() as session:
        await job_refusals.record(session, job.run, job_refusals.of(job, sentence), now=services.clock())
    return problem(status, sentence)


async def _wrong(services: Services, job: JobSession, report: PhaseReport) -> list[str]:
    """Return why a report can't be taken."""
    async with services.database.begin() as session:
        facts = await runs.facts(session, job.run)
    if facts.catalogue is None:
        return ["The run has no catalogue."]
    return problems(report, catalogue=facts.catalogue, readable=facts.base_shas, approved=facts.pinned_plan)


HANDLERS = [open_session, read_spec, read_blob, keep_blob, keep_context, take_report]
