"""The gateway's endpoints: the Messages API as the stock SDK calls it, for sessions of jobs."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import stamina
import structlog
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.response import Stream

from pipelines.catalogue.agent_profiles import DEFAULT
from receiver import limits
from receiver.gateway.exchange import Answer, Request
from receiver.gateway.forward import DATABASE_AWAY, Terms
from receiver.gateway.policy import Allowed, Call, Refused, inspect
from receiver.jobs.agents import agent_for
from receiver.store.jobs import job_refusals, sessions
from receiver.store.jobs.sessions import AdmittedJob, JobSession
from receiver.web.anthropic_errors import refused
from receiver.web.job_api import JobRequest, bearer, log_unknown
from receiver.web.services import Services

log = structlog.get_logger()

PURPOSES: Final = frozenset({"context", "work"})


@post("/gateway/v1/messages", status_code=200, request_max_body_size=limits.CALL_BODY)
async def messages(request: JobRequest, services: NamedDependency[Services]) -> Response[bytes] | Stream:
    """Forward a model call within the run's budget."""
    try:
        admitted = await _admitted(request, services)
        seat = services.seats.take(admitted.job.id)
        try:
            terms, allowed = _terms(request, admitted)
            body = await request.body()
            forwarded = _forwarded(request, body)
            call = await _inspected(forwarded, allowed, counting=False)
            return _response(await services.gateway.message(forwarded, call=call, terms=terms, seat=seat))
        except Refused as refusal:
            await _record(services, admitted.job, refusal)
            raise
        finally:
            seat.let_go()
    except Refused as refusal:
        return refused(refusal)
    except DATABASE_AWAY as error:
        return refused(_database_away(error))


@post("/gateway/v1/messages/count_tokens", status_code=200, request_max_body_size=limits.CALL_BODY)
async def count_tokens(request: JobRequest, services: NamedDependency[Services]) -> Response[bytes] | Stream:
    """Forward a count of tokens; it costs nothing."""
    try:
        admitted = await _admitted(request, services)
        seat = services.seats.take(admitted.job.id)
        try:
            _, allowed = _terms(request, admitted)
            body = await request.body()
            forwarded = _forwarded(request, body)
            await _inspected(forwarded, allowed, counting=True)
            return _response(await services.gateway.count_tokens(forwarded))
        except Refused as refusal:
            await _record(services, admitted.job, refusal)
            raise
        finally:
            seat.let_go()
    except Refused as refusal:
        return refused(refusal)
    except DATABASE_AWAY as error:
        return refused(_database_away(error))


def _response(answer: Answer) -> Response[bytes] | Stream:
    headers = dict(answer.headers)
    media_type = headers.pop("content-type", "application/json")
    if isinstance(answer.body, bytes):
        return Response(answer.body, status_code=answer.status, media_type=media_type, headers=headers)
    return Stream(answer.body, status_code=answer.status, media_type=media_type, headers=headers)


def _forwarded(request: JobRequest, body: bytes) -> Request:
    """Return what goes upstream: the bytes, the version, the betas, and nothing else."""
    named = ",".join(request.headers.getall("anthropic-beta", [])).split(",")
    query = sorted(request.query_params.multi_items())
    if query not in ([], [("beta", "true")]):
        raise Refused(400, "invalid_request_error", "Query parameters are not passed on, but for `beta=true`.")
    return Request(
        body=body,
        version=request.headers.get("anthropic-version"),
        betas=tuple(name.strip() for name in named if name.strip()),
        is_beta=bool(query),
    )


async def _inspected(request: Request, allowed: Allowed, *, counting: bool) -> Call:
    if len(request.body) < limits.LARGE_CALL:
        return inspect(request.body, allowed=allowed, betas=request.betas, counting=counting)
    return await asyncio.to_thread(inspect, request.body, allowed=allowed, betas=request.betas, counting=counting)


async def _admitted(request: JobRequest, services: Services) -> AdmittedJob:
    found = None
    if token := bearer(request):
        # twice: the first statement after PostgreSQL was restarted tells that connections are dead, no more
        async for attempt in stamina.retry_context(on=DATABASE_AWAY, attempts=2, wait_initial=0, wait_jitter=0):
            with attempt:
                async with services.database.direct() as connection:
                    found = await sessions.admitted(connection, token, now=services.clock())
    if found is None:
        log_unknown(request)
        raise Refused(401, "authentication_error", "No living session: the gateway takes a job's session token.")
    return found


def _terms(request: JobRequest, admitted: AdmittedJob) -> tuple[Terms, Allowed]:
    job, catalogue = admitted.job, admitted.catalogue
    if not job.current:
        raise Refused(403, "permission_error", "The run has ended, or is at a later iteration; nothing more is spent.")
    purpose = request.headers.get("x-bug-fix-purpose", "work")
    if purpose not in PURPOSES:
        raise Refused(400, "invalid_request_error", "X-Bug-Fix-Purpose is context or work.")
    if catalogue is None:
        raise Refused(403, "permission_error", "The run has no catalogue yet.")
    agent = agent_for(job.phase, job.repository, catalogue=catalogue, plan=admitted.plan)
    model = agent.model if agent else catalogue.agents[DEFAULT].model
    budget = catalogue.policy.budget_usd
    terms = Terms(
        session=job,
        agent=agent.name if agent else None,
        purpose=purpose,
        prompt_version=_prompt_version(request),
        run_budget=budget.run + admitted.extra_usd,
        day_budget=budget.day,
    )
    return terms, Allowed(phase=job.phase, models=frozenset({model}), purpose=purpose)


def _prompt_version(request: JobRequest) -> str | None:
    """Return what the job's client says of its prompts: a figure for comparisons, believed for nothing else."""
    said = request.headers.get("x-bug-fix-prompts", "")
    return said if _SHA256.fullmatch(said) else None


_SHA256: Final = re.compile(r"[0-9a-f]{64}")

RECORDED: Final = frozenset({402, 403})


async def _record(services: Services, job: JobSession, refusal: Refused) -> None:
    """Let the run's story tell what a job was refused."""
    if refusal.status not in RECORDED:
        return
    log.warning("gateway.refused", run=job.run, job=job.job_id, phase=job.phase, reason=str(refusal))
    async with services.database.begin() as session:
        await job_refusals.record(session, job.run, job_refusals.of(job, str(refusal)), now=services.clock())


def _database_away(error: Exception) -> Refused:
    log.error("gateway.database_away", reason=type(error).__name__)
    return Refused(
        503, "api_error", "The database can't be reached; try again.", retry_after_s=limits.GATEWAY_BUSY_RETRY_S
    )


HANDLERS = [messages, count_tokens]
