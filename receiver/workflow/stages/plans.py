"""What becomes of a run by its accepted plan: the outcomes of analysis, each with its end and people's next step.

Tables and their look-ups; no I/O.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from pipelines.catalogue.plan_policy import is_carried_out, needs_approval
from pipelines.language import AnalysisResult, Phase, PhaseReport, Plan, PlanOutcome, ProjectPath, ReportOutcome
from pipelines.language.policy import Policy
from receiver import limits
from receiver.workflow import end_reasons
from receiver.workflow.effects import AskReporter, Effect, PostPlan
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.run import Run, RunStatus


class PlanStop(Struct, frozen=True, kw_only=True):
    """Why a plan is not carried out (yet), and what follows."""

    status: RunStatus
    reason: str
    """Why, for people."""
    next_step: str
    """What people can do, a sentence."""
    code: EndCode | None = None
    """Why the run ends with it; None: it waits, and the notes say what people can do."""
    effects: tuple[Effect, ...] = ()

    @property
    def end(self) -> EndReason | None:
        """Return why the run ends with this plan; None: it waits for people."""
        if self.code is None:
            return None
        return EndReason(code=self.code, sentence=f"{self.reason} {self.next_step}")


class _Outcome(Struct, frozen=True):
    status: RunStatus
    code: EndCode | None
    name: str
    next_step: str


OUTCOMES: Final[dict[PlanOutcome, _Outcome]] = {
    PlanOutcome.NEEDS_INFORMATION: _Outcome(
        RunStatus.NEEDS_INFORMATION,
        None,
        "A question has to be answered first",
        "Answer it in a comment on the ticket, or add what is missing and set the label again.",
    ),
    PlanOutcome.NOT_A_BUG: _Outcome(
        RunStatus.DECLINED,
        EndCode.NOT_A_BUG,
        "Not a bug",
        "If it is one all the same, say in a comment what makes it one, and set the label again.",
    ),
    PlanOutcome.DUPLICATE: _Outcome(
        RunStatus.DECLINED,
        EndCode.DUPLICATE,
        "A duplicate",
        "Follow the other ticket; if the two differ, say in a comment how, and set the label again.",
    ),
    PlanOutcome.TOO_LARGE: _Outcome(
        RunStatus.DECLINED,
        EndCode.TOO_LARGE,
        "Too large for an automatic fix",
        "Plan it as ordinary work, or make smaller tickets of it and label those that are bugs.",
    ),
    PlanOutcome.FEATURE_REQUEST: _Outcome(
        RunStatus.DECLINED,
        EndCode.FEATURE_REQUEST,
        "A feature request",
        "Take it to whoever decides what is built; if it was promised somewhere, say where, and set the label again.",
    ),
    PlanOutcome.INFRASTRUCTURE: _Outcome(
        RunStatus.DECLINED,
        EndCode.OPERATIONS,
        "A matter of operation",
        "Give it to whoever runs the systems; if it comes back when they are well, set the label again.",
    ),
    PlanOutcome.SECURITY_CONCERN: _Outcome(
        RunStatus.ESCALATED,
        EndCode.SECURITY_CONCERN,
        "A security concern",
        "Treat it as your team treats such reports: read the finding in the run's story, fix it away from public eyes, "
        "and restrict the ticket.",
    ),
}
"""Outcomes other than `fix`."""


def of(run: Run) -> Plan | None:
    """Return the accepted plan of the current iteration, if there is one."""
    report = run.report(Phase.ANALYSIS)
    if report is None or report.outcome is not ReportOutcome.SUCCEEDED:
        return None
    return report.result.plan if isinstance(report.result, AnalysisResult) else None


def in_scope(plan: Plan) -> tuple[ProjectPath, ...]:
    """Return the repositories that a plan would change, if it is carried out."""
    leads_to_code = plan.outcome in {PlanOutcome.FIX, PlanOutcome.SECURITY_CONCERN}
    return tuple(r.repository for r in plan.repositories) if leads_to_code else ()


def leads_on(run: Run, report: PhaseReport, policy: Policy) -> bool:
    """Return whether a report can be built on without people: not an analysis that led to no code, or nobody approved.

    Carried out again, the one would end the attempt at once, and the other would bring code that people did not want.
    """
    plan = of(run)
    if report.phase is not Phase.ANALYSIS or plan is None:
        return report.phase is not Phase.ANALYSIS
    return is_carried_out(plan, policy) and (run.approved or not needs_approval(plan, policy))


def stop_for(run: Run, policy: Policy) -> PlanStop | None:
    """Return why the accepted plan is not carried out; None without a plan, or when its fix is being worked on."""
    plan = of(run)
    if plan is None:
        return None
    if is_carried_out(plan, policy):
        return None if run.approved or not needs_approval(plan, policy) else _waiting(run, plan)
    outcome = OUTCOMES[plan.outcome]
    effects: tuple[Effect, ...] = ()
    if plan.outcome is PlanOutcome.NEEDS_INFORMATION:
        if run.iteration >= limits.QUESTIONS:
            return _asked_enough(run)
        effects = (AskReporter(iteration=run.iteration),)
    other = f" of {plan.duplicate_of}" if plan.outcome is PlanOutcome.DUPLICATE else ""
    return PlanStop(
        status=outcome.status,
        code=outcome.code,
        reason=f"{outcome.name}{other}: {end_reasons.sentence(plan.reason)}",
        next_step=outcome.next_step,
        effects=effects,
    )


def _waiting(run: Run, plan: Plan) -> PlanStop:
    return PlanStop(
        status=RunStatus.AWAITING_APPROVAL,
        reason=f"The plan ({plan.complexity}, risk {plan.risk}) waits for approval.",
        next_step="Read it on the ticket, and answer `/bug-fix approve` there if it is right.",
        effects=(PostPlan(iteration=run.iteration),),
    )


def _asked_enough(run: Run) -> PlanStop:
    return PlanStop(
        status=RunStatus.ESCALATED,
        code=EndCode.TOO_MANY_QUESTIONS,
        reason=f"Analysis asked {run.iteration} times and still has a question.",
        next_step="Talk to the reporter, write what is known into the ticket, and set the label again.",
    )
