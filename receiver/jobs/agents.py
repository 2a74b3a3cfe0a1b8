"""Which agent works in a job: by phase, plan and catalogue. Pure."""

from __future__ import annotations

from pipelines.catalogue import Catalogue
from pipelines.model import Phase, Plan, ProjectPath
from pipelines.wire import AgentSpec

DEFAULT = "default"
WITH_MODEL = frozenset({Phase.ANALYSIS, Phase.REPRODUCTION, Phase.IMPLEMENTATION})


def agent_for(
    phase: Phase, repository: ProjectPath | None, *, catalogue: Catalogue, plan: Plan | None
) -> AgentSpec | None:
    """Return the agent of a job, None for a job that works without a model.

    Implementation is done by the agent that the plan names for the repository; everything else by `default`.
    """
    if phase not in WITH_MODEL:
        return None
    name = DEFAULT
    if phase is Phase.IMPLEMENTATION and plan is not None:
        name = next((r.agent for r in plan.repositories if r.repository == repository), DEFAULT)
    agent = catalogue.agents.get(name) or catalogue.agents[DEFAULT]
    return AgentSpec(name=name, model=agent.model, limits=agent.limits)
