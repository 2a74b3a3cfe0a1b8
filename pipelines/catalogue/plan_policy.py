"""What follows from a plan under the team's policy: code, a person's approval first, or no code. Pure.

Receiver and jobs ask the same functions; the receiver's answer is the one that counts.
"""

from __future__ import annotations

from pipelines.language import Complexity, Plan, PlanOutcome
from pipelines.language.policy import PlanApproval, Policy, SecurityFixes


def is_carried_out(plan: Plan, policy: Policy) -> bool:
    """Return whether code is written for a plan, at once or after an approval."""
    match plan.outcome:
        case PlanOutcome.FIX:
            return True
        case PlanOutcome.SECURITY_CONCERN:
            return policy.security_fixes is SecurityFixes.ALLOW and bool(plan.repositories)
        case _:
            return False


def needs_approval(plan: Plan, policy: Policy) -> bool:
    """Return whether somebody has to approve a plan before code is written."""
    if not is_carried_out(plan, policy):
        return False
    match policy.plan_approval:
        case PlanApproval.NEVER:
            return False
        case PlanApproval.COMPLEX:
            return plan.complexity is Complexity.COMPLEX
        case PlanApproval.ALWAYS:
            return True
