"""Collect the facts from which a run's success is judged. Pure: no query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from pipelines.language import Phase, PhaseReport, ProjectPath, ReportOutcome
from pipelines.language.catalogue import Catalogue
from receiver.insight.indicators import Answer, Facts, Opened, ReportFacts
from receiver.store.schema import EffectRow, InterventionRow, MergeRequestRow, ReportRow, RunRow, TargetPipelineRow
from receiver.workflow.effects import LinkTicket
from receiver.workflow.run import RunStatus
from receiver.workflow.stages.merge_request_stage import link_id
from receiver.workflow.stages.target_pipeline_status import TargetPipelineStatus, of_status


def facts_of(
    run: RunRow,
    *,
    catalogue: Catalogue | None,
    reports: Iterable[ReportRow],
    effects: Sequence[EffectRow],
    merge_requests: Iterable[MergeRequestRow],
    target_pipelines: Sequence[TargetPipelineRow],
    interventions: Iterable[InterventionRow],
) -> Facts:
    """Return the facts of a run. `reports`: those that count in its current iteration."""
    repositories = catalogue.repositories if catalogue else {}
    current = (row for row in reports if row.state != "pending")
    return Facts(
        status=RunStatus(run.status),
        repositories=tuple(ProjectPath(path) for path in run.repositories),
        with_integration_tests=frozenset(p for p, one in repositories.items() if one.stack.commands.integration),
        reports=tuple(_report_facts(row) for row in sorted(current, key=lambda row: row.job_id)),
        merge_requests=tuple(
            Opened(
                repository=ProjectPath(row.repository),
                link=_link(run.id, row.repository, effects),
                target_pipeline=_target_pipeline(row, target_pipelines),
            )
            for row in merge_requests
        ),
        interventions=tuple(row.kind for row in interventions),
    )


def _report_facts(row: ReportRow) -> ReportFacts:
    report = msgspec.convert(row.report, PhaseReport)
    return ReportFacts(
        phase=Phase(row.phase),
        repository=None if row.repository is None else ProjectPath(row.repository),
        outcome=ReportOutcome(row.outcome),
        counts=row.state == "accepted",
        reason=report.reason,
        result=report.result,
    )


def _target_pipeline(row: MergeRequestRow, pipelines: Sequence[TargetPipelineRow]) -> TargetPipelineStatus:
    """Return the status of the newest pipeline of the repository's own CI for our commit."""
    theirs = [one for one in pipelines if (one.merge_request_id, one.sha) == (row.id, row.head_sha)]
    return of_status(max(theirs, key=lambda one: one.id).status if theirs else None)


def _link(run: str, repository: str, effects: Sequence[EffectRow]) -> Answer:
    wanted = link_id(run, repository)
    states = [row.state for row in effects if row.kind == LinkTicket.__name__ and row.payload["global_id"] == wanted]
    if "done" in states:
        return Answer.YES
    return Answer.NO if states and states[-1] == "given_up" else Answer.UNKNOWN
