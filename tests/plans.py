"""Plans for tests: complete and short; each test says only what it is about."""

from typing import Any

from msgspec.structs import replace

from pipelines.language import Complexity, DeployPattern, Location, Plan, PlanOutcome, ProjectPath, RepositoryPlan, Risk

CONTACTS = ProjectPath("payk12/contacts")

PART_TEXTS = ("agent", "reason", "approach")
PLAN_TEXTS = ("reason", "title", "summary", "expected", "actual", "root_cause", "risk_reason")


def a_part(repository: ProjectPath = CONTACTS, **changes: Any) -> RepositoryPlan:
    """Return what is to be done in one repository."""
    part = RepositoryPlan(
        repository=repository, agent="default", reason="r", confidence=0.9, approach="a", files=[], tests=[]
    )
    return replace(part, **changes)


def a_plan(**changes: Any) -> Plan:
    """Return a plan to fix one place in one repository."""
    plan = Plan(
        outcome=PlanOutcome.FIX,
        reason="r",
        title="Escape apostrophes in contact names",
        summary="Names with an apostrophe give 500.",
        expected="e",
        actual="a",
        steps=[],
        requirements=[],
        root_cause="Quoting by hand.",
        location=Location(repository=CONTACTS, file="src/contacts.py", line=42),
        complexity=Complexity.SIMPLE,
        risk=Risk.LOW,
        risk_reason="One statement.",
        repositories=[a_part()],
        deploy_pattern=DeployPattern.SEQUENTIAL,
    )
    return replace(plan, **changes)


def a_plan_saying(text: str, *repositories: ProjectPath, **changes: Any) -> Plan:
    """Return a plan all of whose texts, and lists of texts, are this one."""
    part: dict[str, Any] = dict.fromkeys(PART_TEXTS, text)
    whole: dict[str, Any] = dict.fromkeys(PLAN_TEXTS, text)
    parts = [a_part(repository, **part, files=[text], tests=[text]) for repository in repositories]
    return a_plan(**{**whole, "steps": [text], "requirements": [text], "repositories": parts, **changes})
