"""What a job is told: a RunSpec from the frozen run, the accepted plan and the accepted reports before it.

Reads the store; asks nobody else. A report that is not settled yet makes the job come back a moment later.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.catalogue.plan_policy import needs_approval
from pipelines.language import (
    AnalysisResult,
    Approval,
    Artifact,
    ArtifactKind,
    Baseline,
    ImplementationResult,
    Phase,
    PhaseReport,
    Plan,
    PrepareResult,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    RunId,
    Sha256,
    TestingResult,
)
from pipelines.language.catalogue import Catalogue
from pipelines.language.diagnosis import sentences
from pipelines.language.remedy import Maker, Remedy
from pipelines.language.wire import Input, InputSource, RepositoryPhase, RunSpec, Ticket, decode
from pipelines.proof.red_green import judge
from receiver.jobs.agents import agent_for
from receiver.store.jobs import blobs, contexts, reused_reports, submissions
from receiver.store.jobs.sessions import JobSession
from receiver.store.run import remedies, runs, settled_reports
from receiver.store.run.runs import RunFacts
from receiver.workflow.attempts import reuse_key
from receiver.workflow.audience import Audience

P = Phase

NEEDS: Mapping[Phase, tuple[Phase, ...]] = {
    P.ANALYSIS: (),
    P.PREPARE: (),
    P.GENERATE: (P.ANALYSIS,),
    P.REPRODUCTION: (P.ANALYSIS,),
    P.IMPLEMENTATION: (P.ANALYSIS,),
    P.TESTING: (P.ANALYSIS, P.REPRODUCTION, P.IMPLEMENTATION),
    P.REVIEW: (P.ANALYSIS, P.REPRODUCTION, P.IMPLEMENTATION, P.TESTING),
    P.MERGE_REQUEST: (P.ANALYSIS, P.REPRODUCTION, P.IMPLEMENTATION, P.TESTING),
}
"""Reports that have to be accepted before a phase may begin."""

SAID_NO = frozenset({ReportOutcome.REJECTED, ReportOutcome.FAILED})
"""Outcomes that nothing may be built on, even if the job that reported them ended as a success."""

IN_STORY = "the run is confidential, and its story says why."
"""In place of a reason: the job that is told it writes it into its log."""

_ORDER = tuple(Phase)

OF_RUN = frozenset({P.ANALYSIS, P.GENERATE})
"""Phases without a repository."""


class NotYetError(Exception):
    """A report before this job is not settled; come back in a moment."""


class BarredError(Exception):
    """This job can't do its work, because one before it failed; the message says which and why."""


class _Before(Struct, frozen=True, kw_only=True):
    """What the phases before reported, accepted."""

    reports: dict[Phase, PhaseReport]

    @property
    def plan(self) -> Plan | None:
        report = self.reports.get(P.ANALYSIS)
        return report.result.plan if report and isinstance(report.result, AnalysisResult) else None

    @property
    def reproduction(self) -> ReproductionResult | None:
        report = self.reports.get(P.REPRODUCTION)
        return report.result if report and isinstance(report.result, ReproductionResult) else None

    @property
    def fix(self) -> ImplementationResult | None:
        report = self.reports.get(P.IMPLEMENTATION)
        return report.result if report and isinstance(report.result, ImplementationResult) else None

    @property
    def tested(self) -> TestingResult | None:
        report = self.reports.get(P.TESTING)
        return report.result if report and isinstance(report.result, TestingResult) else None


class _Mending(Struct, frozen=True, kw_only=True):
    """A remedy and what it mends."""

    remedy: Remedy
    fix: ImplementationResult | None


async def build(session: AsyncSession, job: JobSession, *, gitlab_url: str) -> RunSpec:
    """Return the RunSpec of a job. Raises NotYetError, BarredError, NoSuchRunError."""
    if not job.current:
        raise BarredError("The run has ended, or is at a later iteration; there is nothing left to do here.")
    facts = await runs.facts(session, job.run)
    if facts.ticket is None or facts.catalogue is None:
        raise NotYetError("The run is still being admitted.")
    before = await _before(session, job, audience=facts.audience)
    reproduced = before.reproduction is None or before.reproduction.reproduced
    if job.phase in {P.REVIEW, P.MERGE_REQUEST} and reproduced:
        _check_tested(before)
    if job.phase is P.MERGE_REQUEST:
        await _wait_for_review(session, job)
    approval = _approval(facts, before.plan)
    plan = facts.pinned_plan or before.plan
    # a pipeline of the previous release, whose job client takes the plan without asking a model; until the next release
    is_given = job.phase is P.ANALYSIS and approval is Approval.GIVEN
    prepared = await _prepared(session, job)
    mending = await _mending(session, job, facts.catalogue) if job.phase is P.IMPLEMENTATION else None
    agent = agent_for(job.phase, job.repository, catalogue=facts.catalogue, plan=plan)
    is_by_command = mending is not None and mending.remedy.made_by is Maker.COMMAND
    if is_given or is_by_command:
        agent = None
    return RunSpec(
        run=job.run,
        iteration=job.iteration,
        phase=job.phase,
        repository=job.repository,
        ticket=await _with_pictures(session, facts.ticket, run=job.run)
        if job.phase is P.ANALYSIS and not is_given
        else facts.ticket,
        branch=facts.branch,
        catalogue=facts.catalogue,
        base_shas=facts.base_shas,
        clone_urls={project: f"{gitlab_url}/{project}.git" for project in facts.catalogue.repositories},
        agent=agent,
        plan=plan,
        approval=approval,
        confidential=not facts.audience.is_public,
        prepared=prepared.result if prepared and isinstance(prepared.result, PrepareResult) else None,
        baseline=await _baseline(session, prepared, run=job.run) if prepared and job.phase is P.TESTING else None,
        reproduction=before.reproduction,
        fix=mending.fix if mending else before.fix if job.phase is P.REVIEW else None,
        remedy=mending.remedy if mending else None,
        tested=before.tested if job.phase is P.REVIEW else None,
        previous_patch=await _previous_patch(session, job, facts, mending) if job.phase is P.IMPLEMENTATION else None,
        inputs=await _inputs(session, job, before, audience=facts.audience) if reproduced else (),
        done=await _done(session, job, facts) if job.phase is P.GENERATE else (),
        diagnoses=facts.diagnoses,
        diagnosis=sentences(facts.diagnoses, between="\n\n") or None,
        contexts={} if agent is None else await contexts.of_commits(session, facts.base_shas),
    )


async def _with_pictures(session: AsyncSession, ticket: Ticket, *, run: RunId) -> Ticket:
    """Return the ticket with its pictures, as far as they are still kept."""
    filled = []
    for one in ticket.attachments:
        content = await blobs.read(session, one.sha256, run=run) if one.sha256 else None
        filled.append(one if content is None else replace(one, image=base64.b64encode(content).decode()))
    return replace(ticket, attachments=tuple(filled))


def _approval(facts: RunFacts, plan: Plan | None) -> Approval:
    if facts.pinned_plan is not None:
        return Approval.GIVEN
    if plan is None or facts.catalogue is None or not needs_approval(plan, facts.catalogue.policy):
        return Approval.NOT_NEEDED
    return Approval.AWAITED


async def _before(session: AsyncSession, job: JobSession, *, audience: Audience) -> _Before:
    accepted: dict[Phase, PhaseReport] = {}
    for phase in NEEDS[job.phase]:
        repository = None if phase in OF_RUN else job.repository
        upstream = await submissions.newest(session, job.run, job.iteration, phase, repository)
        what = phase if repository is None else f"{phase}: {repository}"
        if upstream is None:
            raise NotYetError(f"{what} has not reported.")
        if upstream.state == "pending":
            raise NotYetError(f"The report of {what} is not settled: GitLab has not said how its job ended.")
        if upstream.state != "accepted":
            why = upstream.reason if audience.is_public else IN_STORY
            raise BarredError(f"The report of {what} does not count: {why}")
        if upstream.report.outcome in SAID_NO:
            why = upstream.report.reason[:1000] if audience.is_public else IN_STORY
            raise BarredError(f"{what} ended as {upstream.report.outcome}: {why}")
        accepted[phase] = upstream.report
    return _Before(reports=accepted)


async def _wait_for_review(session: AsyncSession, job: JobSession) -> None:
    """Raise NotYetError while a review is about to count: what it found decides what is opened."""
    found = await submissions.newest(session, job.run, job.iteration, P.REVIEW, job.repository)
    if found is not None and found.state == "pending":
        raise NotYetError(f"The report of review: {job.repository} is not settled.")


async def _mending(session: AsyncSession, job: JobSession, catalogue: Catalogue) -> _Mending | None:
    """Return the remedy that this job applies, and the fix that it mends; None where an agent works."""
    applied = await remedies.of_job(session, job.run, iteration=job.iteration, repository=job.repository)
    remedy = next((one for one in catalogue.healing.remedies if applied and one.id == applied.remedy), None)
    if applied is None or remedy is None:
        return None
    found = await settled_reports.accepted(
        session, job.run, iteration=applied.mends, phase=P.IMPLEMENTATION, repository=job.repository
    )
    fix = None if found is None else found[1].result
    return _Mending(remedy=remedy, fix=fix if isinstance(fix, ImplementationResult) else None)


async def _previous_patch(
    session: AsyncSession, job: JobSession, facts: RunFacts, mending: _Mending | None
) -> bytes | None:
    """Return the patch that is continued or mended, whose plan is still carried out; None where there is none."""
    if mending is not None:
        return None if mending.fix is None else await blobs.read(session, mending.fix.patch_sha256, run=job.run)
    if facts.pinned_plan is None:
        return None
    found = await settled_reports.accepted(
        session, job.run, iteration=job.iteration - 1, phase=P.IMPLEMENTATION, repository=job.repository
    )
    match None if found is None else found[1].result:
        case ImplementationResult() as fix if fix.base_sha == facts.base_shas.get(job.repository or ProjectPath("")):
            return await blobs.read(session, fix.patch_sha256, run=job.run)
        case _:
            return None


async def _prepared(session: AsyncSession, job: JobSession) -> PhaseReport | None:
    """Return the accepted report on the unpatched repository; None when its job failed, which stops no fix."""
    found = await submissions.newest(session, job.run, job.iteration, P.PREPARE, job.repository)
    if found is not None and found.state == "pending" and job.phase is P.TESTING:
        raise NotYetError(f"The report of prepare: {job.repository} is not settled, and it holds the baseline.")
    accepted = found is not None and found.state == "accepted" and found.report.outcome not in SAID_NO
    return found.report if found is not None and accepted else None


async def _baseline(session: AsyncSession, prepared: PhaseReport, *, run: RunId) -> Baseline | None:
    """Return all tests by name, as the job of the unpatched repository handed them in; None when they are not kept."""
    for artifact in _of_kind(prepared, ArtifactKind.BASELINE):
        content = await blobs.read(session, artifact.sha256, run=run)
        if content is not None:
            with contextlib.suppress(
                msgspec.MsgspecError, RecursionError
            ):  # written by a job: not trusted to be what it says
                return decode(content, Baseline)
    return None


def _check_tested(before: _Before) -> None:
    """Raise BarredError unless exactly the accepted patch passed the accepted testing."""
    if before.fix is None or before.tested is None:
        raise BarredError("There is no accepted patch with an accepted test.")
    for gap in judge(before.reproduction, before.tested, before.fix).gaps:
        raise BarredError(f"The accepted reports do not show a fix: {gap}.")


async def _done(session: AsyncSession, job: JobSession, facts: RunFacts) -> tuple[RepositoryPhase, ...]:
    """Return what needs no job in the child pipeline.

    A pipeline that begins with its plan known prepares nothing itself: there a phase is done when a report of an
    earlier iteration is reused, and what that depends on is still the same with this job's client.
    """
    if facts.catalogue is None:
        return ()
    if facts.pinned_plan is None:
        return tuple(RepositoryPhase(phase=P.PREPARE, repository=path) for path in facts.catalogue.repositories)
    found: set[RepositoryPhase] = set()
    reused = await reused_reports.of_iteration(session, job.run, job.iteration)
    for one in sorted(reused, key=lambda report: _ORDER.index(report.report.phase)):
        report, repository = one.report, one.report.repository
        key = reuse_key(report, base_shas=facts.base_shas, catalogue=facts.catalogue, client=job.client)
        if repository is None or key is None or key != one.key:
            continue
        if not await blobs.are_kept(session, _handed_on(report), run=job.run):
            continue
        of_inputs = (RepositoryPhase(phase=phase, repository=repository) for phase in NEEDS[report.phase])
        if all(needed in found for needed in of_inputs if needed.phase not in OF_RUN):
            found.add(RepositoryPhase(phase=report.phase, repository=repository))
    return tuple(sorted(found, key=lambda done: (done.repository, _ORDER.index(done.phase))))


def _handed_on(report: PhaseReport) -> list[Sha256]:
    kinds = {ArtifactKind.BASELINE, ArtifactKind.REPRODUCTION_TEST, ArtifactKind.CHANGE_SET}
    return [artifact.sha256 for artifact in report.artifacts if artifact.kind in kinds]


async def _inputs(session: AsyncSession, job: JobSession, before: _Before, *, audience: Audience) -> tuple[Input, ...]:
    """Return what a job needs of those before it, and where it gets it from."""
    wanted: tuple[tuple[Phase, ArtifactKind], ...]
    match job.phase:
        case Phase.TESTING:
            wanted = ((P.IMPLEMENTATION, ArtifactKind.CHANGE_SET), (P.REPRODUCTION, ArtifactKind.REPRODUCTION_TEST))
        case Phase.REVIEW | Phase.MERGE_REQUEST:
            wanted = ((P.IMPLEMENTATION, ArtifactKind.CHANGE_SET),)
        case _:
            wanted = ()
    named = [(source, one) for source, kind in wanted for one in _handed_on_as(before.reports[source], kind)]
    return tuple([await _input(session, job, before.reports[source], one, audience=audience) for source, one in named])


async def _input(
    session: AsyncSession, job: JobSession, made_by: PhaseReport, artifact: Artifact, *, audience: Audience
) -> Input:
    if audience.is_public and made_by.iteration == job.iteration:
        return Input(phase=made_by.phase, artifact=artifact)
    # job clients of the previous release do not fetch it; goes with the next release
    content = None if job.client else await blobs.read(session, artifact.sha256, run=job.run)
    return Input(phase=made_by.phase, artifact=artifact, source=InputSource.RECEIVER, content=content)


def _handed_on_as(report: PhaseReport, kind: ArtifactKind) -> list[Artifact]:
    """Return a report's files of a kind; the previous release's job client makes a fix a diff, which its jobs read."""
    found = _of_kind(report, kind)
    return found if found or kind is not ArtifactKind.CHANGE_SET else _of_kind(report, ArtifactKind.PATCH)


def _of_kind(report: PhaseReport, kind: ArtifactKind) -> list[Artifact]:
    return [artifact for artifact in report.artifacts if artifact.kind is kind]
