"""The tools array, the same bytes in every phase, and the table of who may use what. Runs no tool.

The array stands first in the cached prefix, so it never varies by phase; permission is checked when a tool is called.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from anthropic.lib.tools.agent_toolset import AgentToolContext, beta_agent_toolset_20260401
from msgspec import Struct

from pipelines.language import FixSubmission, Phase, Plan, ReproductionSubmission, ReviewSubmission
from pipelines.language.strict_schema import strict_schema
from pipelines.language.wire import AgentSpec

_READING = frozenset({"read", "glob", "grep"})
_WORKING = _READING | {"bash", "write", "edit"}

PERMITTED: dict[Phase, frozenset[str]] = {
    Phase.ANALYSIS: _READING | {"submit_plan"},
    Phase.REPRODUCTION: _WORKING | {"submit_reproduction"},
    Phase.IMPLEMENTATION: _WORKING | {"submit_fix"},
    Phase.REVIEW: _READING | {"submit_review"},
}
"""Tools by phase. Phases without a model are not here."""

SUBMITS: dict[str, tuple[Phase, type[Struct], str]] = {
    "submit_plan": (
        Phase.ANALYSIS,
        Plan,
        (
            "Hand in the plan and end the analysis. Use it once you know the cause, or know why there is nothing to "
            "fix. Every repository and agent must be one that the context lists. An error says what to correct."
        ),
    ),
    "submit_reproduction": (
        Phase.REPRODUCTION,
        ReproductionSubmission,
        (
            "Hand in the reproduction and end the phase. The job then runs the test itself on the unpatched code: it "
            "must fail in an assertion of its own. An error says why it does not count yet. When the bug can't be "
            "shown: reproduced=false, an empty test_path, and as the symptom what you tried and saw."
        ),
    ),
    "submit_fix": (
        Phase.IMPLEMENTATION,
        FixSubmission,
        (
            "Hand in the fix and end the implementation. The patch is taken from the work folder as it is then; files "
            "lists each changed file with its reason, documentation what was updated for users or why nothing was. An "
            "error says which guard the patch does not pass."
        ),
    ),
    "submit_review": (
        Phase.REVIEW,
        ReviewSubmission,
        (
            "Hand in the review and end the phase. Every finding names a file of the repository, a line of the patched "
            "file or 0, and the input or caller for which it shows. No findings is a good result."
        ),
    ),
}
"""Our own tools: the phase that each ends, the shape of its input, what the model is told."""


@cache
def definitions() -> tuple[dict[str, Any], ...]:
    """Return the tools array of every request: the SDK's agent toolset, then ours, which are strict."""
    toolset = [dict(tool.to_dict()) for tool in beta_agent_toolset_20260401(AgentToolContext(workdir="/"))]
    own = [
        {"name": name, "description": description, "input_schema": strict_schema(shape), "strict": True}
        for name, (_, shape, description) in SUBMITS.items()
    ]
    return (*toolset, *own)


def permitted(phase: Phase, agent: AgentSpec) -> frozenset[str]:
    """Return what may be used: what the phase permits, and of its tools those of the agent's profile."""
    return PERMITTED[phase] & (frozenset(SUBMITS) | frozenset(agent.tools))


def refusal(name: str, phase: Phase, agent: AgentSpec) -> str | None:
    """Return why a tool may not be used by this agent in this phase; None: it may."""
    allowed = permitted(phase, agent)
    if name in allowed:
        return None
    where = f"to the agent {agent.name}" if name in PERMITTED[phase] else f"in the {phase} phase"
    return f"{name} is not permitted {where}. Permitted here: {', '.join(sorted(allowed))}."
