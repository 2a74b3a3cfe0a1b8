"""Build a run's story from its rows. Pure: no query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from pipelines.language import Diagnosis, PhaseReport, Plan
from pipelines.language.catalogue import Catalogue
from pipelines.language.remedy import Action
from pipelines.language.wire import Ticket
from receiver.insight.indicators import judge
from receiver.store.money.spending import costs
from receiver.store.schema import (
    AppliedRemedyRow,
    ArtifactRow,
    CommandRow,
    DecisionRow,
    EffectRow,
    InterventionRow,
    IterationRow,
    JobRow,
    MergeRequestRow,
    OutcomeRow,
    PipelineRow,
    PlanRow,
    ReportRow,
    ReusedReportRow,
    RunRow,
    TargetPipelineRow,
    TicketPictureRow,
    UsageRow,
)
from receiver.store.schema.diagnosis_column import diagnoses_of
from receiver.store.story.command_story import GivenCommand
from receiver.store.story.history import Act, Intervention, Moment
from receiver.store.story.merge_request_story import MergeRequest, Outcome, TargetPipelineState, TicketPicture
from receiver.store.story.pipeline_story import Job, Pipeline
from receiver.store.story.remedy_story import TriedRemedy
from receiver.store.story.report_story import Report, ReportedFile
from receiver.store.story.run_story import Iteration, RunFacts
from receiver.store.story.story import Story
from receiver.store.story.success import facts_of
from receiver.workflow import lifecycle, open_questions
from receiver.workflow.effect_table import EFFECTS, EffectTable
from receiver.workflow.end_codes import failure_class
from receiver.workflow.events.ticket_events import IssueRestricted, TicketRefreshed
from receiver.workflow.open_questions import OpenQuestion
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import Cause, RunStatus, Verdict


class Rows(Struct, frozen=True, kw_only=True):
    """The rows of one run."""

    run: RunRow
    position: int | None = None
    """The run's, in the queue."""
    iterations: Sequence[IterationRow]
    decisions: Sequence[DecisionRow]
    effects: Sequence[EffectRow]
    pipelines: Sequence[PipelineRow]
    jobs: Sequence[JobRow]
    plans: Sequence[PlanRow]
    reports: Sequence[ReportRow]
    reused: Sequence[ReusedReportRow]
    artifacts: Sequence[ArtifactRow]
    merge_requests: Sequence[MergeRequestRow]
    target_pipelines: Sequence[TargetPipelineRow]
    outcomes: Sequence[OutcomeRow] = ()
    pictures: Sequence[TicketPictureRow] = ()
    interventions: Sequence[InterventionRow]
    commands: Sequence[CommandRow] = ()
    remedies: Sequence[AppliedRemedyRow] = ()
    usage: Sequence[UsageRow]


def tell(rows: Rows, *, table: EffectTable = EFFECTS) -> Story:
    """Return the story built from the rows. `table` names the effects."""
    accepted = [plan for plan in rows.plans if plan.accepted_at is not None]
    names = dict(pair for row in rows.decisions for pair in _named(row.event))
    catalogue = None if rows.run.catalogue is None else msgspec.convert(rows.run.catalogue, Catalogue)
    return Story(
        run=_run(rows.run, position=rows.position),
        plan=msgspec.convert(accepted[-1].plan, Plan) if accepted else None,
        iterations=tuple(
            _iteration(row, accepted, names, reuses=_reused_jobs(rows, row.number)) for row in rows.iterations
        ),
        moments=tuple(_moment(row) for row in rows.decisions),
        effects=tuple(_act(row, table.name(row.kind)) for row in rows.effects),
        pipelines=tuple(_pipeline(row, rows.jobs) for row in rows.pipelines),
        reports=tuple(_report(row, rows.artifacts) for row in rows.reports),
        merge_requests=_each(rows.merge_requests, MergeRequest),
        target_pipelines=tuple(_target_pipelines(rows)),
        outcomes=_each(rows.outcomes, Outcome),
        pictures=_each(rows.pictures, TicketPicture),
        interventions=_each(rows.interventions, Intervention),
        commands=tuple(_command(row) for row in rows.commands),
        remedies=tuple(_remedy(number, row) for number, row in enumerate(rows.remedies, start=1)),
        indicators=judge(
            facts_of(
                rows.run,
                catalogue=catalogue,
                reports=_counting(rows),
                effects=rows.effects,
                merge_requests=rows.merge_requests,
                target_pipelines=rows.target_pipelines,
                interventions=rows.interventions,
            )
        ),
        escalation=_asked(rows) if rows.run.status == RunStatus.ESCALATED else None,
        costs=costs(
            rows.usage,
            budget_usd=None if catalogue is None else catalogue.policy.budget_usd.run + rows.run.extra_usd,
        ),
    )


def _asked(rows: Rows) -> OpenQuestion:
    """Return what people are asked who got the run; one whose ticket was restricted since carries nothing on."""
    run = rows.run
    restricted = {IssueRestricted.__name__, TicketRefreshed.__name__}
    is_withdrawn = run.confidential and any(
        one.event_kind in restricted and one.verdict == Verdict.ACTED and one.status_before in lifecycle.FINAL
        for one in rows.decisions
    )
    return open_questions.of(run.reason_code, iteration=run.iteration, is_withdrawn=is_withdrawn)


def _named(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield account and name of an event's actor and author; older releases stored an author as the actor."""
    yield str(event.get("actor")), str(event.get("actor_name") or "")
    author = event.get("author")
    if isinstance(author, dict):
        yield str(author.get("account")), str(author.get("name") or "")


def _run(row: RunRow, *, position: int | None) -> RunFacts:
    ticket = None if row.ticket is None else msgspec.convert(row.ticket, Ticket)
    return RunFacts(
        id=row.id,
        issue_key=row.issue_key,
        summary=ticket.summary if ticket else "",
        ticket_url=ticket.url if ticket else "",
        reporter=ticket.reporter if ticket else "",
        status=row.status,
        reason=row.reason,
        reason_code=row.reason_code,
        failure_class=failure_class(row.reason_code),
        diagnosis=None if row.diagnosis is None else msgspec.convert(row.diagnosis, Diagnosis),
        asked=row.asked or "",
        saved_usd=row.saved_usd,
        position=position,
        iteration=row.iteration,
        branch=row.branch,
        audience=row.audience,
        actor_name=row.actor_name,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _iteration(
    row: IterationRow, accepted: Sequence[PlanRow], names: Mapping[str, str], *, reuses: Iterable[int]
) -> Iteration:
    plans = [plan.plan for plan in accepted if plan.iteration == row.number]
    return Iteration(
        number=row.number,
        kind=row.kind,
        plan=msgspec.convert(plans[-1], Plan) if plans else None,
        approved_by=row.approved_by,
        approver=names.get(row.approved_by or "", ""),
        diagnoses=diagnoses_of(row),
        cause=Cause(row.cause),
        reuses=tuple(reuses),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _counting(rows: Rows) -> list[ReportRow]:
    """Return the current iteration's reports, own and reused ones."""
    reused = set(_reused_jobs(rows, rows.run.iteration))
    return [one for one in rows.reports if one.iteration == rows.run.iteration or one.job_id in reused]


def _reused_jobs(rows: Rows, iteration: int) -> Iterator[int]:
    """Yield the jobs whose reports an iteration reuses; its own report of a phase and repository replaces them."""
    own = {(one.phase, one.repository) for one in rows.reports if one.iteration == iteration}
    wanted = {one.report_id for one in rows.reused if one.iteration == iteration}
    for report in rows.reports:
        if report.id in wanted and (report.phase, report.repository) not in own:
            yield report.job_id


T = TypeVar("T", bound=Struct)


def _each(rows: Iterable[object], kind: type[T]) -> tuple[T, ...]:
    return tuple(msgspec.convert(row, kind, from_attributes=True) for row in rows)


def _remedy(number: int, row: AppliedRemedyRow) -> TriedRemedy:
    return TriedRemedy(
        number=number,
        id=row.remedy,
        repository=row.repository,
        tier=row.tier,
        confidence=row.confidence.normalize(),
        verified=None if row.verified_at is None else row.state != RemedyState.RED,
        action=Action(row.action),
        state=RemedyState(row.state),
    )


def _command(row: CommandRow) -> GivenCommand:
    return GivenCommand(
        venue=row.venue,
        word=row.word,
        arguments=tuple(row.arguments),
        hint=row.hint,
        by=row.author_name or row.author,
        allowed=row.is_obeyed,
        answer=row.answer,
        at=row.at,
    )


def _moment(row: DecisionRow) -> Moment:
    return Moment(
        at=row.at,
        event=row.event_kind,
        verdict=row.verdict,
        reason=row.reason,
        status_before=row.status_before,
        status_after=row.status_after,
        delivery=row.delivery_id,
        effect=row.effect_id,
    )


def _act(row: EffectRow, name: str) -> Act:
    return Act(
        id=row.id,
        kind=row.kind,
        name=name,
        payload={name: value for name, value in row.payload.items() if name != "type"},
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        performed_at=row.performed_at,
        last_error=row.last_error,
        result=row.result,
        remark=row.remark,
        wanted_by=row.decision_id,
    )


def _pipeline(row: PipelineRow, jobs: Sequence[JobRow]) -> Pipeline:
    return Pipeline(
        id=row.id,
        project_id=row.project_id,
        iteration=row.iteration,
        kind="parent" if row.parent_id is None else "child",
        parent=row.parent_id,
        status=row.status,
        url=row.url,
        created_at=row.created_at,
        finished_at=row.finished_at,
        jobs=_each([job for job in jobs if job.pipeline_id == row.id], Job),
    )


def _target_pipelines(rows: Rows) -> Iterator[TargetPipelineState]:
    repositories = {row.id: row.repository for row in rows.merge_requests}
    for row in rows.target_pipelines:
        yield TargetPipelineState(
            id=row.id,
            repository=repositories[row.merge_request_id],
            sha=row.sha,
            source=row.source,
            status=row.status,
            url=row.url,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )


def _report(row: ReportRow, artifacts: Sequence[ArtifactRow]) -> Report:
    report = msgspec.convert(row.report, PhaseReport)
    return Report(
        job=row.job_id,
        project_id=row.project_id,
        iteration=row.iteration,
        phase=row.phase,
        repository=row.repository,
        outcome=row.outcome,
        state=row.state,
        reason=report.reason,
        why_discarded=row.reason,
        agent=report.agent,
        model=report.model,
        turns=report.turns,
        job_seconds=report.job_seconds,
        stripped_characters=report.stripped_characters,
        refused_calls=report.refused_calls,
        result=report.result,
        artifacts=_each([file for file in artifacts if file.report_id == row.id], ReportedFile),
    )
