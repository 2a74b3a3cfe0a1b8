"""What the scripted plan of each scenario leads to: one honest job or those of a fix, and the run's status.

Rows for what `./scripts/demo --all` plays with real processes: the whole path is shown by one scenario of each kind.
"""

from typing import Any

import msgspec
import pytest

from pipelines.catalogue import plan_check
from pipelines.catalogue.file import read
from pipelines.catalogue.plan_policy import is_carried_out
from pipelines.generation.graph import Origin, build
from pipelines.generation.job_names import parse_job_name
from pipelines.generation.render import render
from pipelines.language import IssueKey, Phase, Plan, PlanOutcome, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.pipeline_key import fix
from pipelines.language.policy import ReviewMode
from pipelines.language.wire import RepositoryPhase
from receiver.workflow.run import RunStatus
from receiver.workflow.stages import plans
from sandbox.scenario_format import Scenario, find, load, names

ENDS = {
    "not-a-bug": (PlanOutcome.NOT_A_BUG, RunStatus.DECLINED),
    "feature-request": (PlanOutcome.FEATURE_REQUEST, RunStatus.DECLINED),
    "duplicate": (PlanOutcome.DUPLICATE, RunStatus.DECLINED),
    "too-large": (PlanOutcome.TOO_LARGE, RunStatus.DECLINED),
    "infrastructure": (PlanOutcome.INFRASTRUCTURE, RunStatus.DECLINED),
    "security-concern": (PlanOutcome.SECURITY_CONCERN, RunStatus.ESCALATED),
    "needs-information": (PlanOutcome.NEEDS_INFORMATION, RunStatus.NEEDS_INFORMATION),
}
"""Scenarios whose first analysis ends with something else than a fix, and where that leaves the run."""


DISHONEST = {"over-budget", "hostile-model"}
"""Their models hand in no plan, or plans that are refused; `tests/acceptance/hostile` plays them."""


def scripted_plan(story: Scenario) -> Plan:
    """Return the first plan that the scripted model hands in."""
    turns = [turn for one in story.conversations if one.phase == "analysis" for turn in one.turns]
    return next(
        msgspec.convert(use.input, Plan) for turn in turns for use in turn.tool_use if use.name == "submit_plan"
    )


@pytest.mark.parametrize("name", [name for name in names() if name not in DISHONEST])
def test_the_plan_is_one_that_the_receiver_takes(name: str) -> None:
    story = load(find(name))
    catalogue = read(story.catalogue, source="bug-fix.yml")
    assert (
        plan_check.problems(scripted_plan(story), catalogue, readable=catalogue.repositories, issue_key=story.issue_key)
        == []
    )


@pytest.mark.parametrize("name", ENDS)
def test_a_plan_without_a_fix_gives_one_honest_job_and_the_run_s_status(name: str) -> None:
    story = load(find(name))
    outcome, status = ENDS[name]
    plan, catalogue = scripted_plan(story), read(story.catalogue, source="bug-fix.yml")
    assert (plan.outcome, is_carried_out(plan, catalogue.policy)) == (outcome, False)
    assert plans.OUTCOMES[outcome].status is status
    said = "handed_over" if outcome is PlanOutcome.SECURITY_CONCERN else outcome.value  # everybody can read it
    assert jobs(plan, catalogue) == [f"outcome: {said}"]


@pytest.mark.parametrize("name", [name for name in names() if name not in DISHONEST | set(ENDS)])
def test_a_plan_with_a_fix_gives_the_jobs_of_each_repository_that_it_names(name: str) -> None:
    story = load(find(name))
    plan, catalogue = scripted_plan(story), read(story.catalogue, source="bug-fix.yml")
    phases = {Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.MERGE_REQUEST}
    if catalogue.policy.review is not ReviewMode.OFF:
        phases |= {Phase.REVIEW}
    named = [parse_job_name(job) for job in jobs(plan, catalogue)]
    assert {(one.phase, one.repository) for one in named if one is not None} == {
        (phase, part.repository) for phase in phases for part in plan.repositories
    }


def jobs(plan: Plan, catalogue: Catalogue) -> list[str]:
    """Return the names of the jobs in the child pipeline that is generated of a plan."""
    child = build(
        plan,
        catalogue=catalogue,
        origin=Origin(
            run=RunId("0123456789abcdef"),
            pipeline=fix(1),
            issue_key=IssueKey("PL-479"),
            receiver="http://receiver.example.com",
        ),
        done=[RepositoryPhase(phase=Phase.PREPARE, repository=path) for path in catalogue.repositories],
    )
    document: dict[str, Any] = msgspec.yaml.decode(render(child))
    return [name for name, one in document.items() if isinstance(one, dict) and "extends" in one]
