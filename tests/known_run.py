"""A run with what an event tells, for tests of the core: told once, in order.

What a late, repeated or foreign event changes is the store's rule, and tested there; `test_fold` compares the two.
"""

from typing import Any

from msgspec.structs import replace

from pipelines.language import AnalysisResult, PhaseReport
from receiver.workflow import audience, lifecycle
from receiver.workflow.audience import Audience
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestChanged, MergeRequestOpened
from receiver.workflow.events.pipeline_events import (
    JobChanged,
    PipelineChanged,
    PipelineStarted,
    ReportAccepted,
    ReportDiscarded,
)
from receiver.workflow.events.ticket_events import IssueRestricted, TicketAdmitted, TicketRefreshed
from receiver.workflow.run import JobView, Learned, MergeRequestView, PipelineView, Run
from receiver.workflow.stages.plans import in_scope


def knowing(run: Run, event: Event) -> tuple[Run, Learned]:
    """Return the run as the store loads it after the event, and what the fold says of it."""
    after = replace(run, **_changes(run, event), **_hidden(event))
    return after, Learned(is_new=after != run or not _shows(event), was_confidential=not run.audience.is_public)


def _hidden(event: Event) -> dict[str, Any]:
    """Return what makes the run confidential, if the event does; nobody is named who might read it."""
    return {"audience": Audience.WITHHELD} if audience.is_confidential_by(event) else {}


def _shows(event: Event) -> bool:
    """Say whether the run itself shows all that such an event tells."""
    return isinstance(event, IssueRestricted | PipelineStarted | MergeRequestOpened)


def _changes(run: Run, event: Event) -> dict[str, Any]:  # noqa: PLR0911  # a table over the events
    match event:
        case TicketAdmitted() | TicketRefreshed():
            return {"base_shas": event.base_shas}
        case PipelineStarted() if all(p.iteration != event.iteration or p.parent is not None for p in run.pipelines):
            return {"pipelines": (*run.pipelines, _pipeline(event, event.iteration, None, "created"))}
        case PipelineChanged():
            above = next((p for p in run.pipelines if p.pipeline in {event.pipeline, event.parent}), None)
            others = [p for p in run.pipelines if p.pipeline != event.pipeline]
            if above is None or above.project_id != event.project_id:
                return {}
            status = lifecycle.later(above.status, event.status) if above.pipeline == event.pipeline else event.status
            told = replace(_pipeline(event, above.iteration, event.parent, status), kind=above.kind)
            return {"pipelines": tuple(sorted([*others, told], key=lambda p: p.pipeline))}
        case JobChanged() if any((p.pipeline, p.iteration) == (event.pipeline, run.iteration) for p in run.pipelines):
            others_of = [j for j in run.jobs if (j.pipeline, j.name) != (event.pipeline, event.name)]
            return {"jobs": tuple(sorted([*others_of, _job(event)], key=lambda j: j.job))}
        case ReportAccepted() | ReportDiscarded():
            return _reported(run, event)
        case MergeRequestOpened() | MergeRequestChanged():
            return {"merge_requests": _requested(run, event)}
        case _:
            return {}


def _pipeline(event: PipelineStarted | PipelineChanged, iteration: int, parent: Any, status: str) -> PipelineView:
    return PipelineView(
        pipeline=event.pipeline, project_id=event.project_id, iteration=iteration, parent=parent, status=status
    )


def _job(event: JobChanged) -> JobView:
    return JobView(
        job=event.job,
        pipeline=event.pipeline,
        name=event.name,
        status=event.status,
        allow_failure=event.allow_failure,
        failure_reason=event.failure_reason if event.status == "failed" else None,
    )


def _reported(run: Run, event: ReportAccepted | ReportDiscarded) -> dict[str, Any]:
    report = event.report
    if (report.run, report.iteration) != (run.id, run.iteration):
        return {}
    is_other = _is_other(report)
    if isinstance(event, ReportDiscarded):
        return {"discarded": (*filter(is_other, run.discarded), report)}
    kept = {"reports": (*filter(is_other, run.reports), report), "discarded": tuple(filter(is_other, run.discarded))}
    if not isinstance(report.result, AnalysisResult):
        return kept
    plan = report.result.plan
    return kept | {"repositories": in_scope(plan)}


def _is_other(report: PhaseReport) -> Any:
    return lambda one: (one.phase, one.repository) != (report.phase, report.repository)


def _requested(run: Run, event: MergeRequestOpened | MergeRequestChanged) -> tuple[MergeRequestView, ...]:
    known = next((m for m in run.merge_requests if (m.project_id, m.iid) == (event.project_id, event.iid)), None)
    if isinstance(event, MergeRequestOpened):
        repository = event.repository
    elif known is not None:
        repository = known.repository  # whatever the hook calls the project
    else:
        return run.merge_requests
    is_kept = known is not None and (isinstance(event, MergeRequestOpened) or known.state == "merged")
    state = known.state if known is not None and is_kept else getattr(event, "state", "opened")
    iteration = getattr(event, "iteration", None) or (known.iteration if known is not None else None)
    ours = event.head_sha if isinstance(event, MergeRequestOpened) else "" if known is None else known.head_sha
    told = MergeRequestView(
        repository=repository,
        project_id=event.project_id,
        iid=event.iid,
        state=state,
        iteration=iteration,
        head_sha=ours,
    )
    others = [m for m in run.merge_requests if m.repository != repository]
    return tuple(sorted([*others, told], key=lambda m: m.repository))
