"""The gateway's endpoints: the Messages API as the stock SDK calls it, for sessions of jobs."""

from __future__ import annotations

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.response import Stream

from pipelines.catalogue import Catalogue
from pipelines.model import AnalysisResult, Phase, Plan
from receiver.gateway.forward import Answer, Terms
from receiver.gateway.policy import MAX_BODY, Allowed, Refused, inspect
from receiver.jobs.agents import DEFAULT, agent_for
from receiver.store import runs, submissions
from receiver.store.sessions import JobSession
from receiver.web.jobs import JobRequest, session_of
from receiver.web.services import Services

PURPOSES = frozenset({"context", "work"})


@post("/gateway/v1/messages", status_code=200, request_max_body_size=MAX_BODY)
async def messages(request: JobRequest, services: NamedDependency[Services]) -> Response[bytes] | Stream:
    """Forward a model call within the run's budget."""
    try:
        terms, allowed = await _terms(request, services)
        body = await request.body()
        call = inspect(body, allowed=allowed, betas=_betas(request))
        answer = await services.gateway.message(body, dict(request.headers), call=call, terms=terms)
    except Refused as refusal:
        return refused(refusal)
    return _response(answer)


@post("/gateway/v1/messages/count_tokens", status_code=200, request_max_body_size=MAX_BODY)
async def count_tokens(request: JobRequest, services: NamedDependency[Services]) -> Response[bytes] | Stream:
    """Forward a count of tokens; it costs nothing."""
    try:
        _, allowed = await _terms(request, services)
        body = await request.body()
        inspect(body, allowed=allowed, betas=_betas(request), counting=True)
        answer = await services.gateway.count_tokens(body, dict(request.headers))
    except Refused as refusal:
        return refused(refusal)
    return _response(answer)


def refused(refusal: Refused) -> Response[bytes]:
    """Return a refusal in the shape of Anthropic's errors."""
    body = {"type": "error", "error": {"type": refusal.kind, "message": str(refusal)}, "request_id": None}
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    if refusal.retry_after_s is None:
        headers["x-should-retry"] = "false"
    return Response(
        msgspec.json.encode(body), status_code=refusal.status, media_type="application/json", headers=headers
    )


def _response(answer: Answer) -> Response[bytes] | Stream:
    headers = dict(answer.headers)
    media_type = headers.pop("content-type", "application/json")
    if isinstance(answer.body, bytes):
        return Response(answer.body, status_code=answer.status, media_type=media_type, headers=headers)
    return Stream(answer.body, status_code=answer.status, media_type=media_type, headers=headers)


def _betas(request: JobRequest) -> list[str]:
    return [name.strip() for name in request.headers.get("anthropic-beta", "").split(",") if name.strip()]


async def _terms(request: JobRequest, services: Services) -> tuple[Terms, Allowed]:
    job = await session_of(request, services)
    if job is None:
        raise Refused(401, "authentication_error", "No living session: the gateway takes a job's session token.")
    purpose = request.headers.get("x-bug-fix-purpose", "work")
    if purpose not in PURPOSES:
        raise Refused(400, "invalid_request_error", "X-Bug-Fix-Purpose is context or work.")
    async with services.database.begin() as session:
        facts = await runs.facts(session, job.run)
        plan = await _plan(session_job=job, services=services)
    catalogue: Catalogue | None = facts.catalogue
    if catalogue is None:
        raise Refused(403, "permission_error", "The run has no catalogue yet.")
    agent = agent_for(job.phase, job.repository, catalogue=catalogue, plan=plan)
    model = agent.model if agent else catalogue.agents[DEFAULT].model
    budget = catalogue.policy.budget_usd
    terms = Terms(
        session=job,
        agent=agent.name if agent else None,
        purpose=purpose,
        run_budget=budget.run,
        day_budget=budget.day,
    )
    return terms, Allowed(phase=job.phase, models=frozenset({model}))


async def _plan(*, session_job: JobSession, services: Services) -> Plan | None:
    """Return the accepted plan, which names the agent that implements."""
    if session_job.phase is not Phase.IMPLEMENTATION:
        return None
    async with services.database.begin() as session:
        found = await submissions.newest(session, session_job.run, session_job.iteration, Phase.ANALYSIS, None)
    if found is None or found.state != "accepted" or not isinstance(found.report.result, AnalysisResult):
        return None
    return found.report.result.plan


HANDLERS = [messages, count_tokens]
