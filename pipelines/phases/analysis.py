"""`analysis`: an agent reads the ticket and the repositories and submits a plan; the receiver validates it again."""

from __future__ import annotations

from typing import Any

from pipelines.agents.loop import Submitted
from pipelines.job.errors import JobError
from pipelines.job.job import Job
from pipelines.job.processes import Role
from pipelines.job.repositories import check_out
from pipelines.model import (
    AnalysisResult,
    ArtifactKind,
    PhaseReport,
    Plan,
    PlanOutcome,
    ReportOutcome,
)
from pipelines.phases.conversation import Desk, hold
from pipelines.phases.submission import SubmissionError, decoded
from pipelines.plan_rules import problems
from pipelines.wire import encode


def run(job: Job) -> PhaseReport:
    """Return the plan. The agent sees each repository in a folder named by its project path, and can't write."""
    folder = job.root / "work"
    folder.mkdir()
    for path, source in sorted(job.sources.items()):
        check_out(source, folder / path)
    job.launcher.give(folder, Role.WORK)
    place = Desk(folder=folder, home=job.launcher.home(Role.WORK), variables={})
    plans: list[Plan] = []

    def submit(given: dict[str, Any]) -> Submitted:
        try:
            plan = decoded(given, Plan)
        except SubmissionError as error:
            return Submitted(accepted=False, answer=str(error))
        if found := problems(plan, job.spec.catalogue):
            return Submitted(accepted=False, answer=" ".join(found))
        plans.append(plan)
        return Submitted(accepted=True, answer="The plan is accepted.")

    hold(job, place, submit=submit)
    if not plans:
        raise JobError("The conversation ended without a plan.")
    plan = plans[-1]
    job.artifacts.keep(ArtifactKind.PLAN, "plan.json", encode(plan))
    job.log.say(f"outcome {plan.outcome}, complexity {plan.complexity}, risk {plan.risk}: {plan.title}")
    where = f" in {plan.location.repository}, {plan.location.file}:{plan.location.line}" if plan.location else ""
    reason = f"Root cause{where}." if plan.outcome is PlanOutcome.FIX else f"{plan.outcome}: {plan.reason[:500]}"
    return job.report(ReportOutcome.SUCCEEDED, reason, AnalysisResult(plan=plan))
