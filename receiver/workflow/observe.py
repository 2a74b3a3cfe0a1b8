"""Add what an event tells to what is known of a run. Decides nothing and performs no I/O.

What is known only grows: any order of the same events, and any repetition, ends in the same knowledge.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from pipelines.language import AnalysisResult, Phase, PhaseReport, Plan, PlanOutcome, ProjectPath, ReportOutcome
from receiver.workflow import lifecycle
from receiver.workflow.events import (
    Event,
    IssueRestricted,
    JobChanged,
    MergeRequestChanged,
    MergeRequestOpened,
    PipelineChanged,
    PipelineStarted,
    ReportAccepted,
    ReportDiscarded,
    TicketAdmitted,
    TicketRefreshed,
)
from receiver.workflow.run import JobView, MergeRequestView, PipelineView, Run


def observed(run: Run, event: Event) -> Run:  # noqa: PLR0911  # a table over the events
    """Return the run with what the event tells of it."""
    match event:
        case TicketAdmitted(ticket=ticket) | TicketRefreshed(ticket=ticket):
            return replace(run, confidential=run.confidential or bool(ticket.security_level))
        case IssueRestricted():
            return replace(run, confidential=True)
        case PipelineStarted():
            return _started(run, event)
        case PipelineChanged():
            return _pipeline(run, event)
        case JobChanged():
            return _job(run, event)
        case ReportAccepted():
            return _accepted(run, event.report)
        case ReportDiscarded():
            return _discarded(run, event.report)
        case MergeRequestOpened():
            return _opened(run, event)
        case MergeRequestChanged():
            return _merge_request(run, event)
        case _:
            return run


def parent(run: Run) -> PipelineView | None:
    """Return the parent pipeline of the run's current iteration, if it is known."""
    return next((p for p in run.pipelines if p.parent is None and p.iteration == run.iteration), None)


def _started(run: Run, event: PipelineStarted) -> Run:
    if event.iteration != run.iteration or parent(run) is not None:
        return run
    view = PipelineView(
        pipeline=event.pipeline,
        project_id=event.project_id,
        iteration=event.iteration,
        parent=None,
        status="created",
    )
    return replace(run, pipelines=(*run.pipelines, view))


def _pipeline(run: Run, event: PipelineChanged) -> Run:
    known = {p.pipeline: p for p in run.pipelines}
    view, above = known.get(event.pipeline), known.get(event.parent) if event.parent is not None else None
    if view is not None:
        view = replace(view, status=lifecycle.later(view.status, event.status))
    elif above is not None and above.project_id == event.project_id:
        view = PipelineView(
            pipeline=event.pipeline,
            project_id=event.project_id,
            iteration=above.iteration,
            parent=above.pipeline,
            status=event.status,
        )
    else:
        return run
    return replace(run, pipelines=_by_id([*(p for p in run.pipelines if p.pipeline != view.pipeline), view]))


def _by_id(pipelines: Iterable[PipelineView]) -> tuple[PipelineView, ...]:
    return tuple(sorted(pipelines, key=lambda p: p.pipeline))


def _job(run: Run, event: JobChanged) -> Run:
    if all(p.pipeline != event.pipeline or p.iteration != run.iteration for p in run.pipelines):
        return run
    known = next((j for j in run.jobs if j.name == event.name and j.pipeline == event.pipeline), None)
    if known is not None and known.job > event.job:
        return run  # GitLab retries a job as a new one of the same name
    is_same = known is not None and known.job == event.job
    status = lifecycle.later(known.status, event.status) if known is not None and is_same else event.status
    view = JobView(
        job=event.job,
        pipeline=event.pipeline,
        name=event.name,
        status=status,
        allow_failure=event.allow_failure,
        failure_reason=event.failure_reason if status == event.status or known is None else known.failure_reason,
    )
    others = [j for j in run.jobs if j is not known]
    return replace(run, jobs=tuple(sorted([*others, view], key=lambda j: j.job)))


def _is_current(run: Run, report: PhaseReport) -> bool:
    return report.run == run.id and report.iteration == run.iteration


def _same(one: PhaseReport, other: PhaseReport) -> bool:
    return one.phase is other.phase and one.repository == other.repository


def _accepted(run: Run, report: PhaseReport) -> Run:
    if not _is_current(run, report):
        return run
    run = replace(
        run,
        reports=(*(r for r in run.reports if not _same(r, report)), report),
        discarded=tuple(r for r in run.discarded if not _same(r, report)),
    )
    plan = _plan(report)
    if plan is None:
        return run
    concern = plan.outcome is PlanOutcome.SECURITY_CONCERN
    return replace(run, repositories=in_scope(plan) or run.repositories, confidential=run.confidential or concern)


def _plan(report: PhaseReport) -> Plan | None:
    if report.phase is not Phase.ANALYSIS or report.outcome is not ReportOutcome.SUCCEEDED:
        return None
    return report.result.plan if isinstance(report.result, AnalysisResult) else None


def in_scope(plan: Plan) -> tuple[ProjectPath, ...]:
    """Return the repositories that a plan would change, if it is carried out."""
    leads_to_code = plan.outcome in {PlanOutcome.FIX, PlanOutcome.SECURITY_CONCERN}
    return tuple(r.repository for r in plan.repositories) if leads_to_code else ()


def _discarded(run: Run, report: PhaseReport) -> Run:
    if not _is_current(run, report) or any(_same(r, report) for r in run.reports):
        return run
    return replace(run, discarded=(*(r for r in run.discarded if not _same(r, report)), report))


def _opened(run: Run, event: MergeRequestOpened) -> Run:
    if any(m.project_id == event.project_id and m.iid == event.iid for m in run.merge_requests):
        return run
    view = MergeRequestView(repository=event.repository, project_id=event.project_id, iid=event.iid, state="opened")
    others = (m for m in run.merge_requests if m.repository != event.repository)
    return replace(run, merge_requests=_by_repository([*others, view]))


def _merge_request(run: Run, event: MergeRequestChanged) -> Run:
    known = next((m for m in run.merge_requests if m.project_id == event.project_id and m.iid == event.iid), None)
    # only those that we opened: a fork can have a branch of the same name; and nothing follows a merge
    if known is None or known.state == "merged":
        return run
    others = (m for m in run.merge_requests if m is not known)
    return replace(run, merge_requests=_by_repository([*others, replace(known, state=event.state)]))


def _by_repository(merge_requests: Iterable[MergeRequestView]) -> tuple[MergeRequestView, ...]:
    return tuple(sorted(merge_requests, key=lambda m: m.repository))
