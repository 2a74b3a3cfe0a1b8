"""What follows from a plan under the team's policy."""

from collections.abc import Callable
from itertools import product

import pytest
from msgspec.structs import replace

from pipelines.catalogue.plan_policy import is_carried_out, needs_approval
from pipelines.language import Complexity, Plan, PlanOutcome
from pipelines.language.policy import PlanApproval, Policy, SecurityFixes

Plans = Callable[..., Plan]


@pytest.mark.parametrize("outcome", PlanOutcome)
def test_only_a_fix_is_carried_out_unless_policy_allows_security_fixes(plan_of: Plans, outcome: PlanOutcome) -> None:
    plan = plan_of(["payk12/r1"], outcome)
    assert is_carried_out(plan, Policy()) == (outcome is PlanOutcome.FIX)
    allowed = Policy(security_fixes=SecurityFixes.ALLOW)
    assert is_carried_out(plan, allowed) == (outcome in {PlanOutcome.FIX, PlanOutcome.SECURITY_CONCERN})
    without = plan_of([], outcome)
    assert is_carried_out(without, allowed) == (outcome is PlanOutcome.FIX)


def test_policy_decides_by_complexity_which_plans_wait(plan_of: Plans) -> None:
    waits = {
        (policy, complexity)
        for policy, complexity in product(PlanApproval, Complexity)
        if needs_approval(replace(plan_of(["payk12/r1"]), complexity=complexity), Policy(plan_approval=policy))
    }
    assert waits == {
        (PlanApproval.COMPLEX, Complexity.COMPLEX),
        *((PlanApproval.ALWAYS, complexity) for complexity in Complexity),
    }


@pytest.mark.parametrize("outcome", sorted(set(PlanOutcome) - {PlanOutcome.FIX}))
def test_what_is_not_carried_out_needs_no_approval(plan_of: Plans, outcome: PlanOutcome) -> None:
    assert not needs_approval(plan_of(["payk12/r1"], outcome), Policy(plan_approval=PlanApproval.ALWAYS))
