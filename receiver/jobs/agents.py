"""Which agent works in a job: by phase, plan and catalogue. Pure."""

from __future__ import annotations

from pipelines.catalogue.agent_profiles import DEFAULT, REVIEWER
from pipelines.language import Phase, Plan, ProjectPath
from pipelines.language.catalogue import Catalogue
from pipelines.language.wire import AgentSpec

WITH_MODEL = frozenset({Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.REVIEW})


def agent_for(
    phase: Phase, repository: ProjectPath | None, *, catalogue: Catalogue, plan: Plan | None
) -> AgentSpec | None:
    """Return the agent of a job, None for a job that works without a model.

    Implementation is done by the agent that the plan names for the repository, review by `code-reviewer`, everything
    else by `default`.
    """
    if phase not in WITH_MODEL:
        return None
    agent = catalogue.agents.get(_name(phase, repository, plan)) or catalogue.agents[DEFAULT]
    return AgentSpec(
        name=agent.name,
        model=agent.model,
        limits=agent.limits,
        prompt=agent.prompt,
        profile=agent.profile,
        tools=agent.tools,
    )


def _name(phase: Phase, repository: ProjectPath | None, plan: Plan | None) -> str:
    match phase:
        case Phase.IMPLEMENTATION if plan is not None:
            return next((entry.agent for entry in plan.repositories if entry.repository == repository), DEFAULT)
        case Phase.REVIEW:
            return REVIEWER
        case _:
            return DEFAULT
