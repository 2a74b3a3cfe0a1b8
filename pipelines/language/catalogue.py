"""bug-fix.yml, the catalogue: repositories, stacks, agents, policy. Data only; `pipelines.catalogue.file` reads it.

Frozen per run: the receiver stores it when the run starts and jobs get it in their RunSpec.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from pipelines.language import Limits, ProjectPath
from pipelines.language.command_grants import CommandGrants
from pipelines.language.policy import Policy
from pipelines.language.remedy import Healing
from pipelines.language.repository import Repository


class AgentTool(StrEnum):
    """What an agent works with. A phase permits some of them, a profile some of those."""

    READ = "read"
    GLOB = "glob"
    GREP = "grep"
    BASH = "bash"
    WRITE = "write"
    EDIT = "edit"


def can_write(tools: Sequence[AgentTool]) -> bool:
    """Return whether an agent with these tools can change files at all."""
    return bool({AgentTool.WRITE, AgentTool.EDIT} & set(tools))


class Agent(Struct, frozen=True, kw_only=True):
    """An agent profile."""

    name: str
    model: str
    limits: Limits = Limits()
    prompt: str = ""
    """Name of its template; empty: its own name."""
    profile: str = ""
    """The template's text, where it is the team's; empty: it comes with the job client."""
    tools: tuple[AgentTool, ...] = tuple(AgentTool)
    stacks: tuple[str, ...] = ()
    """Presets of the repositories that it implements in; empty: all."""


class Start(Struct, frozen=True, kw_only=True):
    """What starts a run."""

    label: str = "bug-fix"
    """The ticket's label; with `-hold` behind it, it is the one that pauses a run, and
    with `-escalated` the one that a run gets which people have to go on with."""
    allowed: tuple[str, ...] = ()
    """`account:ID` or `group:NAME`; nobody else may start a run."""

    @property
    def hold_label(self) -> str:
        """Return the ticket's label that pauses a run."""
        return f"{self.label}-hold"

    @property
    def hand_over_label(self) -> str:
        """Return the ticket's label that says that people have to go on."""
        return f"{self.label}-escalated"


class Transitions(Struct, frozen=True, kw_only=True):
    """Names of the Jira statuses that a ticket is moved to; without one it is left as it is."""

    started: str | None = None
    """When work begins."""
    review: str | None = None
    """When merge requests wait for review."""
    merged: str | None = None
    """When all of them are merged."""


class Confidential(Struct, frozen=True, kw_only=True):
    """Who in Jira reads what is confidential: one of the two."""

    role: str | None = None
    """A project role."""
    group: str | None = None
    """A group."""


class Jira(Struct, frozen=True, kw_only=True):
    """The Jira side."""

    project: str
    """The project's key."""
    start: Start
    transitions: Transitions = Transitions()
    confidential: Confidential | None = None
    """Who reads the details of security concerns and of tickets with a security level, in a restricted comment; without
    it they are in the run's story only."""


class Deploy(Struct, frozen=True, kw_only=True):
    """In which order people merge and deploy the fixes of a run."""

    order: tuple[tuple[str, ...], ...] = ()
    """Waves of repository keys; those of one wave go together."""


class Catalogue(Struct, frozen=True, kw_only=True):
    """All of bug-fix.yml with presets resolved."""

    automation_project: ProjectPath
    automation_ref: str
    automation_image: str = "python:3.11"
    """For jobs that belong to no repository."""
    jira: Jira
    policy: Policy
    agents: dict[str, Agent]
    """By name; `default` is always there."""
    repositories: dict[ProjectPath, Repository]
    """By GitLab project path."""
    commands: CommandGrants = CommandGrants()
    """Who may say which command."""
    deploy: Deploy = Deploy()
    healing: Healing = Healing()
    """What is done about failures that are known."""
    sha256: str = ""
    """Of the file that it was read from: the version frozen with a run."""
