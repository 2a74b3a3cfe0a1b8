"""Whether a plan may be carried out: its repositories, agents and paths against the frozen catalogue. Pure.

The job asks so that the model can correct itself; the receiver asks again, because jobs are not trusted.
"""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import PurePosixPath
from typing import Final

from pipelines.catalogue.agent_profiles import unfit
from pipelines.language import Plan, PlanOutcome, ProjectPath, RepositoryPlan
from pipelines.language.catalogue import Catalogue

ISSUE_KEY: Final = re.compile(r"[A-Z][A-Z0-9_]{1,200}-[1-9][0-9]{0,17}")


def problems(plan: Plan, catalogue: Catalogue, *, readable: Container[ProjectPath], issue_key: str = "") -> list[str]:
    """Return what is wrong with a plan, a sentence each; none when it may be stored.

    `readable`: repositories whose commit is known; `issue_key`: of the plan's own ticket.
    """
    return [
        *_missing(plan),
        *_said(plan, issue_key),
        *(p for entry in plan.repositories for p in _entry(entry, catalogue, readable)),
        *_location(plan),
    ]


def _said(plan: Plan, issue_key: str) -> list[str]:
    """Complain of outcomes that don't say what people need from them."""
    found: list[str] = []
    if plan.outcome is not PlanOutcome.FIX and not plan.reason.strip():
        found.append("An outcome other than fix has a reason: it is what people are told.")
    if plan.outcome is PlanOutcome.NEEDS_INFORMATION and not plan.question.strip():
        found.append("needs_information has a question: exactly what the reporter is asked.")
    if plan.outcome is PlanOutcome.DUPLICATE and not ISSUE_KEY.fullmatch(plan.duplicate_of):
        found.append("duplicate has the other ticket's key in duplicate_of, such as PL-400.")
    if plan.outcome is PlanOutcome.DUPLICATE and issue_key and plan.duplicate_of == issue_key:
        found.append(f"{issue_key} can't be a duplicate of itself.")
    return found


def _missing(plan: Plan) -> list[str]:
    found: list[str] = []
    if plan.outcome is PlanOutcome.FIX and not plan.repositories:
        found.append("A plan to fix names at least one repository.")
    leads_to_code = plan.outcome is PlanOutcome.FIX or (
        plan.outcome is PlanOutcome.SECURITY_CONCERN and bool(plan.repositories)
    )
    if leads_to_code and not plan.title.strip():
        found.append("A plan to fix has a title.")
    if leads_to_code and plan.location is None:
        found.append("A plan to fix has the location of the cause.")
    named = [entry.repository for entry in plan.repositories]
    if len(set(named)) != len(named):
        found.append("A repository is named twice.")
    return found


def _entry(entry: RepositoryPlan, catalogue: Catalogue, readable: Container[ProjectPath]) -> list[str]:
    found: list[str] = []
    if entry.repository not in catalogue.repositories:
        known = ", ".join(sorted(catalogue.repositories))
        found.append(f"{entry.repository[:100]} is not in the catalogue; it has {known}.")
    elif entry.repository not in readable:
        found.append(
            f"{entry.repository} can't be fixed now: when the run began it was gone, archived, empty or not visible to "
            "the bot, as `bug-fix doctor` says. A person has to mend that, or take it out of bug-fix.yml."
        )
    if entry.agent not in catalogue.agents:
        found.append(f"{entry.agent[:100]} is not an agent; there are {', '.join(sorted(catalogue.agents))}.")
    elif why := _unfit(entry, catalogue):
        own = catalogue.repositories[entry.repository].agent
        found.append(f"{why}; {entry.repository}'s own agent is {own}.")
    if not 0 <= entry.confidence <= 1:
        found.append(f"The confidence for {entry.repository[:100]} is {entry.confidence}; it goes from 0 to 1.")
    found += [f"{path[:200]} is not a path inside the repository." for path in entry.files if not _inside(path)]
    return found


def _unfit(entry: RepositoryPlan, catalogue: Catalogue) -> str | None:
    repository = catalogue.repositories.get(entry.repository)
    if repository is None:
        return None
    agent = catalogue.agents[entry.agent]
    return unfit(agent.name, stacks=agent.stacks, tools=agent.tools, stack=repository.stack.preset)


def _location(plan: Plan) -> list[str]:
    location = plan.location
    if location is None:
        return []
    found: list[str] = []
    if location.repository not in {entry.repository for entry in plan.repositories}:
        found.append("The cause is located in a repository that is not in scope.")
    if not _inside(location.file) or location.line < 1:
        found.append("The cause's location is not a file and line inside the repository.")
    return found


def _inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and "\\" not in path and "\0" not in path
