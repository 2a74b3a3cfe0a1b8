"""Which agent works in a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.catalogue.agent_profiles import ALL_TOOLS, READING
from pipelines.catalogue.file import read
from pipelines.language import Phase, ProjectPath
from receiver.jobs.agents import agent_for

ROOT = Path(__file__).resolve().parents[3]
CATALOGUE = read(
    (ROOT / "bug-fix.yml").read_text() + "  # the end\n",
    source="bug-fix.yml",
    templates={"dotnet-pro": "You are our .NET engineer."},
)
FRONTEND, API = ProjectPath("payk12/frontend"), ProjectPath("payk12/api")


class Entry:
    def __init__(self, repository: str, agent: str) -> None:
        self.repository, self.agent = repository, agent


class Plan:
    repositories = (Entry(FRONTEND, "nextjs-pro"), Entry(API, "dotnet-pro"))


def agent(phase: Phase, repository: ProjectPath | None = API, plan: Any = Plan) -> Any:
    return agent_for(phase, repository, catalogue=CATALOGUE, plan=plan)


def test_the_plans_agent_implements_in_each_repository() -> None:
    assert agent(Phase.IMPLEMENTATION).name == "dotnet-pro"
    assert agent(Phase.IMPLEMENTATION, FRONTEND).name == "nextjs-pro"


def test_the_profile_goes_with_the_agent() -> None:
    assert agent(Phase.IMPLEMENTATION).profile == "You are our .NET engineer."
    assert (agent(Phase.IMPLEMENTATION, FRONTEND).profile, agent(Phase.IMPLEMENTATION).tools) == ("", ALL_TOOLS)


def test_a_reviewer_can_only_read() -> None:
    assert (agent(Phase.REVIEW).name, agent(Phase.REVIEW).tools) == ("code-reviewer", READING)


@pytest.mark.parametrize("phase", [Phase.ANALYSIS, Phase.REPRODUCTION])
def test_default_does_the_rest(phase: Phase) -> None:
    assert agent(phase).name == "default"
    assert agent(Phase.IMPLEMENTATION, plan=None).name == "default"


@pytest.mark.parametrize("phase", [Phase.PREPARE, Phase.GENERATE, Phase.TESTING, Phase.MERGE_REQUEST])
def test_the_other_phases_have_none(phase: Phase) -> None:
    assert agent(phase) is None
