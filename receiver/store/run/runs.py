"""Runs: created, locked, loaded as the core sees them, changed as it decided."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import Diagnosis, IssueKey, Phase, PhaseReport, PipelineKind, Plan, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.wire import Ticket
from receiver.store.jobs import reused_reports
from receiver.store.postgres.database import StoreError, lock
from receiver.store.run import remedies, standing_approvals, ticket_levels
from receiver.store.run.standing_approvals import Approval, Place
from receiver.store.schema import (
    IterationRow,
    JobRow,
    MergeRequestRow,
    PipelineRow,
    PlanRow,
    ReportRow,
    RunRow,
)
from receiver.store.schema.diagnosis_column import diagnoses_of
from receiver.workflow.audience import Audience
from receiver.workflow.events.pipeline_events import JobId, PipelineId
from receiver.workflow.person import AccountId
from receiver.workflow.run import Failure, JobView, MergeRequestView, PipelineView, Run, RunStatus


class NoSuchRunError(StoreError):
    """There is no such run; `bug-fix runs` lists them."""


NEWEST = (RunRow.finished_at.is_(None).desc(), RunRow.created_at.desc())
"""Order of a ticket's runs. The one that has not ended comes first: the clocks of two workers may differ."""


class RunFacts(Struct, frozen=True, kw_only=True):
    """What the run was started with, frozen."""

    id: RunId
    issue_key: IssueKey
    iteration: int
    branch: str
    actor: str | None
    created_at: datetime
    ticket: Ticket | None
    catalogue: Catalogue | None
    base_shas: dict[ProjectPath, str]
    diagnoses: tuple[Diagnosis, ...]
    pinned_plan: Plan | None
    """What the current iteration is to carry out without analysing anew: approved by people, or a review sent the
    work back."""
    audience: Audience
    issue_id: str
    is_commanded: bool = False
    """A command began it: the label need not be on the ticket."""
    extra_usd: Decimal = Decimal(0)
    """What people let it cost beyond its catalogue's budget."""


async def lock_issue(session: AsyncSession, issue_key: str) -> None:
    """Wait until nobody else starts a run of this ticket, and keep it so until the transaction ends."""
    await lock(session, f"issue:{issue_key}")


async def exists(session: AsyncSession, run: RunId) -> bool:
    """Tell whether there is such a run."""
    return await session.scalar(select(RunRow.id).where(RunRow.id == run)) is not None


async def issue_of(session: AsyncSession, run: RunId) -> str | None:
    """Return the key of a run's ticket."""
    return await session.scalar(select(RunRow.issue_key).where(RunRow.id == run))


async def newest(session: AsyncSession, issue_key: str) -> RunRow | None:
    """Return the run of this ticket that holds it; none does: the one that was created last."""
    return await session.scalar(select(RunRow).where(RunRow.issue_key == issue_key).order_by(*NEWEST).limit(1))


async def find(session: AsyncSession, name: str) -> RunRow:
    """Return the run with this id, or the newest run of this ticket. Raises NoSuchRunError."""
    # Postgres takes no NUL in a text, and no name of a run or ticket holds what can't be printed.
    found = (await session.get(RunRow, name) or await newest(session, name.upper())) if name.isprintable() else None
    if found is None:
        raise NoSuchRunError(f"There is no run {name}, nor one of a ticket of that key; `bug-fix runs` lists them.")
    return found


async def create(
    session: AsyncSession,
    run: RunId,
    *,
    issue_key: str,
    status: RunStatus,
    actor: str | None,
    name: str,
    now: datetime,
    is_commanded: bool = False,
) -> RunRow:
    """Store a new run."""
    row = RunRow(
        id=run,
        issue_key=issue_key,
        status=status,
        status_at=now,
        iteration=0,
        branch="",
        actor=actor,
        actor_name=name,
        labelled_at=now,
        created_at=now,
        repositories=[],
        reason="",
        is_commanded=is_commanded,
        extra_usd=Decimal(0),
        is_held=False,
    )
    session.add(row)
    await session.flush()
    return row


async def hold(session: AsyncSession, run: RunId) -> RunRow:
    """Return the run's row, locked until the transaction ends: events of one run are decided one after the other."""
    row = await session.scalar(select(RunRow).where(RunRow.id == run).with_for_update())
    if row is None:
        raise NoSuchRunError(f"There is no run {run}; `bug-fix runs` lists them.")
    return row


async def load(session: AsyncSession, row: RunRow) -> Run:
    """Return the run as the core sees it."""
    pipelines = await session.scalars(
        select(PipelineRow).where(PipelineRow.run_id == row.id).order_by(PipelineRow.iteration, PipelineRow.id)
    )
    merge_requests = list(
        await session.scalars(
            select(MergeRequestRow).where(MergeRequestRow.run_id == row.id).order_by(MergeRequestRow.repository)
        )
    )
    is_waiting = any(one.held_back for one in merge_requests)
    approvals = await standing_approvals.of_run(session, row.id) if is_waiting else {}
    jobs = await session.scalars(
        select(JobRow)
        .where(JobRow.run_id == row.id, JobRow.kind == PipelineKind.FIX, JobRow.iteration == row.iteration)
        .ext(distinct_on(JobRow.pipeline_id, JobRow.name))
        .order_by(JobRow.pipeline_id, JobRow.name, JobRow.id.desc())
    )
    attempts = await _attempts(session, row)
    attempt = next((one for one in attempts if one.number == row.iteration), None)
    kinds = [one.kind for one in attempts]
    applied = await remedies.of_run(session, row)
    attempted = {one.number for one in attempts if one.kind == "fix"}
    reports, discarded = await _reports(session, row)
    return Run(
        id=RunId(row.id),
        issue_key=IssueKey(row.issue_key),
        status=RunStatus(row.status),
        iteration=row.iteration,
        branch=row.branch,
        deadline=row.deadline,
        since=row.status_at,
        pipelines=tuple(
            PipelineView(
                pipeline=PipelineId(p.id),
                project_id=p.project_id,
                kind=PipelineKind(p.kind),
                iteration=p.iteration,
                parent=None if p.parent_id is None else PipelineId(p.parent_id),
                status=p.status,
            )
            for p in pipelines
        ),
        reports=reports,
        discarded=discarded,
        jobs=tuple(
            JobView(
                job=JobId(j.id),
                pipeline=PipelineId(j.pipeline_id),
                name=j.name,
                status=j.status,
                allow_failure=j.allow_failure,
                failure_reason=j.failure_reason,
            )
            for j in sorted(jobs, key=lambda one: one.id)
        ),
        merge_requests=tuple(
            MergeRequestView(
                repository=ProjectPath(m.repository),
                project_id=m.project_id,
                iid=m.iid,
                state=m.state,
                iteration=m.iteration,
                confirmed=bool(m.head_sha),
                head_sha=m.head_sha,
                approved_by=_approved_by(m, approvals),
            )
            for m in merge_requests
        ),
        repositories=tuple(ProjectPath(path) for path in row.repositories),
        base_shas=_base_shas(row),
        audience=row.audience,
        approved_by=None if attempt is None or attempt.approved_by is None else AccountId(attempt.approved_by),
        waits=kinds.count("analysis") + kinds.count("paused"),
        interruptions=kinds.count("infrastructure"),
        failures=tuple(msgspec.convert(one.failure, Failure) for one in attempts if one.failure is not None),
        was_sent_back=await _was_reviewed(session, row),
        diagnoses=diagnoses_of(attempt) if attempt else (),
        is_withdrawn=row.confidential and await ticket_levels.is_stopped(session, RunId(row.id)),
        is_held=row.is_held,
        paused_from=None if row.paused_from is None else RunStatus(row.paused_from),
        extra_usd=row.extra_usd,
        remedies=applied,
        healings=len(attempted & {one.iteration for one in applied}),
    )


async def _attempts(session: AsyncSession, row: RunRow) -> list[IterationRow]:
    """Return the attempts of a run, oldest first, without a query where there is none."""
    if row.iteration == 0:
        return []
    query = select(IterationRow).where(IterationRow.run_id == row.id).order_by(IterationRow.number)
    return list(await session.scalars(query))


async def _was_reviewed(session: AsyncSession, row: RunRow) -> bool:
    """Say whether an iteration before the current one had a review that counted."""
    reviews = select(ReportRow.id).where(
        ReportRow.run_id == row.id,
        ReportRow.iteration < row.iteration,
        ReportRow.phase == Phase.REVIEW,
        ReportRow.state == "accepted",
    )
    return row.iteration > 1 and await session.scalar(reviews.limit(1)) is not None


async def _reports(session: AsyncSession, row: RunRow) -> tuple[tuple[PhaseReport, ...], tuple[PhaseReport, ...]]:
    """Return the reports that count in the current iteration and those that don't, the newest of each phase.

    Where one of a phase and repository counts, those that don't are no reason for people any more.
    """
    newest_first = (
        select(ReportRow.state, ReportRow.report)
        .where(reused_reports.counts_in(row.id, row.iteration), ReportRow.state != "pending")
        .ext(distinct_on(ReportRow.phase, ReportRow.repository))
        .order_by(ReportRow.phase, ReportRow.repository, ReportRow.state, *reused_reports.NEWEST_FIRST)
    )
    settled = [(state, msgspec.convert(report, PhaseReport)) for state, report in await session.execute(newest_first)]
    reports = tuple(report for state, report in settled if state == "accepted")  # which sorts before "discarded"
    return reports, tuple(report for state, report in settled if state == "discarded")


def _approved_by(row: MergeRequestRow, approvals: dict[Place, dict[int, Approval]]) -> tuple[int, ...]:
    if not row.held_back or row.state != "opened":
        return ()
    given = approvals.get((row.project_id, row.iid), {})
    return tuple(user for user, one in given.items() if one.head_sha == row.head_sha)


def _base_shas(row: RunRow) -> dict[ProjectPath, str]:
    return {ProjectPath(path): str(sha) for path, sha in (row.base_shas or {}).items()}


def catalogue_of(row: RunRow) -> Catalogue | None:
    """Return the catalogue that a run was started with; None before it was admitted."""
    return None if row.catalogue is None else msgspec.convert(row.catalogue, Catalogue)


async def facts(session: AsyncSession, run: RunId) -> RunFacts:
    """Return what the run was started with. Raises NoSuchRunError."""
    row = await session.get(RunRow, run)
    if row is None:
        raise NoSuchRunError(f"There is no run {run}; `bug-fix runs` lists them.")
    attempt = await session.get(IterationRow, (row.id, row.iteration))
    return RunFacts(
        id=run,
        issue_key=IssueKey(row.issue_key),
        iteration=row.iteration,
        branch=row.branch,
        actor=row.actor,
        created_at=row.created_at,
        ticket=None if row.ticket is None else msgspec.convert(row.ticket, Ticket),
        catalogue=catalogue_of(row),
        base_shas=_base_shas(row),
        diagnoses=diagnoses_of(attempt) if attempt else (),
        pinned_plan=await _pinned(session, attempt),
        audience=row.audience,
        issue_id=row.issue_id,
        is_commanded=row.is_commanded,
        extra_usd=row.extra_usd,
    )


async def _pinned(session: AsyncSession, attempt: IterationRow | None) -> Plan | None:
    # an attempt that ended in waiting for people has pinned a plan that it did not carry out
    if attempt is None or attempt.kind == "analysis" or attempt.plan_id is None:
        return None
    plan = await session.get_one(PlanRow, attempt.plan_id)
    return msgspec.convert(plan.plan, Plan)
