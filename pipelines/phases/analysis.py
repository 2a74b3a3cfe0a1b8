"""`analysis`: an agent reads the ticket and the repositories and submits a plan; the receiver validates it again."""

from __future__ import annotations

from typing import Any

from pipelines.agents.loop import Submitted
from pipelines.catalogue.plan_check import problems
from pipelines.job.communication.disclosure import Disclosure
from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.repositories import check_out
from pipelines.language import (
    AnalysisResult,
    ArtifactKind,
    PhaseReport,
    Plan,
    PlanOutcome,
    ReportOutcome,
)
from pipelines.language.wire import encode
from pipelines.phases.conversation import PhaseSetting, hold
from pipelines.phases.submission import SubmissionError, decoded


def run(job: Job) -> PhaseReport:
    """Return the plan that the agent submits."""
    return _reported(job, _submitted(job))


def _submitted(job: Job) -> Plan:
    """Let the agent read; it sees each repository in a folder named by its project path, and can't write."""
    folder = job.root / "work"
    folder.mkdir()
    for path, source in sorted(job.sources.items()):
        check_out(source, folder / path)
    job.launcher.users.give(folder, Role.WORK)
    place = PhaseSetting(folder=folder, home=job.launcher.home(Role.WORK), variables={})
    plans: list[Plan] = []

    def submit(given: dict[str, Any]) -> Submitted:
        try:
            plan = decoded(given, Plan)
        except SubmissionError as error:
            return Submitted(accepted=False, answer=str(error))
        if found := problems(plan, job.spec.catalogue, readable=job.spec.base_shas, issue_key=job.spec.ticket.key):
            return Submitted(accepted=False, answer=" ".join(found))
        plans.append(plan)
        return Submitted(accepted=True, answer="The plan is accepted.")

    hold(job, place, submit=submit)
    if not plans:
        raise JobError("The conversation ended without a plan.")
    return plans[-1]


def _reported(job: Job, plan: Plan) -> PhaseReport:
    """Keep and report the plan. Of a security concern this job's log and files say nothing: many people see them."""
    job.disclose(Disclosure.WITHHELD if plan.outcome is PlanOutcome.SECURITY_CONCERN else Disclosure.OPEN)
    if job.disclosure is Disclosure.WITHHELD:
        return job.report(ReportOutcome.SUCCEEDED, "The plan is confidential.", AnalysisResult(plan=plan))
    job.artifacts.keep(ArtifactKind.PLAN, "plan.json", encode(plan))
    job.log.say(f"outcome {plan.outcome}, complexity {plan.complexity}, risk {plan.risk}: {plan.title}")
    where = f" in {plan.location.repository}, {plan.location.file}:{plan.location.line}" if plan.location else ""
    reason = (
        f"Root cause{where}." if plan.outcome is PlanOutcome.FIX else f"{_words(plan.outcome)}: {plan.reason[:500]}"
    )
    return job.report(ReportOutcome.SUCCEEDED, reason, AnalysisResult(plan=plan))


def _words(outcome: PlanOutcome) -> str:
    return outcome.replace("_", " ").capitalize()
