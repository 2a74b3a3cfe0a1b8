"""Fetch a report that did not reach us from the artifacts of its job, and let it wait as if it had been posted.

Artifacts may have been touched by code that a job ran, so a report counts as the job's own by its seal only; after that
it is checked as the job API checks what is posted to it. Whether it counts is decided later, by how the job ended.
"""

from __future__ import annotations

import asyncio

import structlog

from pipelines.language import Artifact, EndedBy, PhaseReport, ReportOutcome
from pipelines.language.catalogue import Catalogue
from pipelines.language.report_seal import MAX_REPORT, MAX_SEAL, goes_along, is_sealed, report_path, seal_path
from pipelines.language.wire import sha256
from receiver import limits
from receiver.jobs.report_checks import misdirected, problems, read
from receiver.outbound.effects import former_diff
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import RefusedError
from receiver.store.jobs import blobs, submissions
from receiver.store.jobs.blobs import TooMuchError
from receiver.store.jobs.submissions import Arrival
from receiver.store.jobs.unreported import Unreported
from receiver.store.run import runs
from receiver.workflow.events.pipeline_events import JobId, ReportDiscarded

log = structlog.get_logger()


async def collect(desk: Desk, one: Unreported, *, catalogue: Catalogue) -> ReportDiscarded | None:
    """Store a job's report as pending, with what goes along; what can't be taken is discarded, with the reason.

    Raises UnavailableError when GitLab can't be asked now.
    """
    job = one.session
    try:
        report = await _report(desk, one, catalogue=catalogue)
        for artifact in report.artifacts:
            if goes_along(artifact, report) or former_diff.is_fix(artifact, report):
                await _keep(desk, one, artifact)
    except (RefusedError, TooMuchError) as error:
        log.warning("report.not_collected", run=job.run, job=job.job_id, phase=job.phase, reason=str(error))
        return _discarded(one, str(error))
    async with desk.database.begin() as session:
        await submissions.keep_report(session, report, job=job, now=desk.clock(), arrival=Arrival.COLLECTED)
    log.info("report.collected", run=job.run, job=job.job_id, phase=job.phase, outcome=report.outcome)
    return None


async def _report(desk: Desk, one: Unreported, *, catalogue: Catalogue) -> PhaseReport:
    job = one.session
    body = await _file(desk, one, report_path(job.phase), limit=MAX_REPORT)
    mark = await _file(desk, one, seal_path(job.phase), limit=MAX_SEAL)
    if not is_sealed(body, mark, token_hash=one.token_sha256):
        raise RefusedError("it does not carry the job's own seal, so something else wrote or changed it.")
    try:
        report = read(body)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise RefusedError(f"it is not a report: {error}") from error
    elsewhere = misdirected(report, run=job.run, pipeline=job.pipeline, phase=job.phase, repository=job.repository)
    async with desk.database.begin() as session:
        facts = await runs.facts(session, job.run)
    if elsewhere is not None:
        raise RefusedError(elsewhere)
    wrong = problems(report, catalogue=catalogue, readable=facts.base_shas, approved=facts.pinned_plan)
    if wrong:
        raise RefusedError(" ".join(wrong[: limits.COLLECTED_REPORT_PROBLEMS]))
    return report


async def _keep(desk: Desk, one: Unreported, artifact: Artifact) -> None:
    """Keep the bytes of a file that the report names, unless the job handed them in while we could be reached."""
    run = one.session.run
    async with desk.database.begin() as session:
        if await blobs.is_owned(session, artifact.sha256, run=run):
            return
    content = await _file(desk, one, artifact.path, limit=artifact.size) if artifact.size else b""
    if sha256(content) != artifact.sha256:
        raise RefusedError(f"{artifact.path} is not the file that it names.")
    async with desk.database.begin() as session:
        await blobs.keep(session, content, run=run, now=desk.clock(), retention_days=desk.evidence_retention_days)


async def _file(desk: Desk, one: Unreported, path: str, *, limit: int) -> bytes:
    job = one.session
    return await asyncio.to_thread(desk.reader.artifact, job.project_id, job.job_id, path, limit=limit)


def _discarded(one: Unreported, why: str) -> ReportDiscarded:
    job = one.session
    reason = f"The job's report did not reach the receiver, and the one among its artifacts can't be taken: {why}"
    report = PhaseReport(
        run=job.run,
        iteration=job.iteration,
        phase=job.phase,
        repository=job.repository,
        outcome=ReportOutcome.FAILED,
        reason=reason,
        result=None,
        ended_by=EndedBy.UNDELIVERED,
    )
    return ReportDiscarded(job=JobId(job.job_id), report=report, reason=reason)
