"""The agents that come with the product, as data, and whether an agent fits a repository. Pure.

An agent is a profile, not code. Each of these has a template of its name in templates/prompts/agents; a test compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from pipelines.catalogue.stack_presets import Preset
from pipelines.language.catalogue import AgentTool, can_write

DEFAULT: Final = "default"
"""Who works where nobody else is named, and whose model and limits hold for the others."""

REVIEWER: Final = "code-reviewer"
"""Who reads the tested patch where `policy.review` asks for it."""

READING: Final = (AgentTool.READ, AgentTool.GLOB, AgentTool.GREP)
ALL_TOOLS: Final = tuple(AgentTool)


class Profile(Struct, frozen=True, kw_only=True):
    """What distinguishes an agent besides its template."""

    purpose: str
    """For people."""
    stacks: tuple[Preset, ...] = ()
    """Empty: all."""
    tools: tuple[AgentTool, ...] = ALL_TOOLS


BUILT_IN: Final[dict[str, Profile]] = {
    DEFAULT: Profile(purpose="a careful generalist; also analyses and reproduces"),
    "python-pro": Profile(purpose="services and tools in Python", stacks=(Preset.PYTHON,)),
    "nextjs-pro": Profile(purpose="front ends in TypeScript", stacks=(Preset.NEXTJS,)),
    "dotnet-pro": Profile(purpose="APIs in .NET", stacks=(Preset.DOTNET, Preset.DOTNET_FRAMEWORK)),
    "legacy-modernizer": Profile(purpose="code that is old, important and thinly tested"),
    "multi-repo-fixer": Profile(purpose="bugs that sit between services"),
    REVIEWER: Profile(purpose="reads a tested patch and writes nothing", tools=READING),
}
"""By name. A catalogue may name them without a section of their own."""


def unfit(name: str, *, stacks: Sequence[str], tools: Sequence[AgentTool], stack: str) -> str | None:
    """Return why an agent can't implement in a repository of this stack; None: it can."""
    if stacks and stack not in stacks:
        return f"{name} works on {', '.join(stacks)}, and this repository is {stack}"
    if not can_write(tools):
        return f"{name} can't write files, so it can't implement"
    return None
