"""Reports of jobs as the receiver stores them, for tests."""

from datetime import datetime
from typing import Any

import msgspec

from pipelines.language import Phase, PhaseReport, PhaseResult, ReportOutcome, RunId
from pipelines.language.wire import sha256
from receiver.store.schema import ReportRow
from tests.plans import CONTACTS


def a_report(run: RunId, phase: Phase, result: PhaseResult | None, **changes: Any) -> PhaseReport:
    """Return what a job of the first iteration says when all went well."""
    facts: dict[str, Any] = {
        "run": run,
        "iteration": 1,
        "phase": phase,
        "repository": None if phase is Phase.ANALYSIS else CONTACTS,
        "outcome": ReportOutcome.SUCCEEDED,
        "reason": "Done.",
        "result": result,
    }
    return PhaseReport(**facts | changes)


def stored(
    report: PhaseReport, *, job: int, at: datetime, state: str = "accepted", pipeline: int = 2, project: int = 1
) -> ReportRow:
    """Return the row of a report from this job."""
    return ReportRow(
        run_id=report.run,
        iteration=report.iteration,
        phase=report.phase,
        repository=report.repository,
        project_id=project,
        pipeline_id=pipeline,
        job_id=job,
        sha256=sha256(msgspec.json.encode(report)),
        report=msgspec.to_builtins(report),
        outcome=report.outcome,
        state=state,
        received_at=at,
    )
