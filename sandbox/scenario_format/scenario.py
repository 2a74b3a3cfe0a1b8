"""The whole scenario: `scenario.yml` as it is written, and all of the folder once it was checked."""

from pathlib import Path
from typing import Annotated

import msgspec

from sandbox.scenario_format.conversation import Conversation
from sandbox.scenario_format.expected import Expected, Reaction
from sandbox.scenario_format.fields import IssueKey, ProjectPath, Username
from sandbox.scenario_format.overlay import OverlayFile, Source
from sandbox.scenario_format.ticket import Ticket
from sandbox.scenario_format.world import GitLabWorld, JiraWorld, ModelWorld, User


class ScenarioFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`scenario.yml` as it is written."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    issue: IssueKey
    users: Annotated[dict[Username, User], msgspec.Meta(min_length=1)]
    repositories: Annotated[dict[ProjectPath, str | Source], msgspec.Meta(min_length=1)]
    expected: Expected
    reactions: tuple[Reaction, ...] = ()
    gitlab: GitLabWorld = GitLabWorld()
    jira: JiraWorld = JiraWorld()
    model: ModelWorld = ModelWorld()


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A whole scenario, checked."""

    folder: Path
    name: str
    title: str
    issue_key: str
    users: dict[str, User]
    """By username."""
    repositories: dict[str, Path]
    """GitLab project to the folder with its first commit's files."""
    overlays: dict[str, tuple[OverlayFile, ...]]
    """GitLab project to the files that lie over that folder."""
    expected: Expected
    reactions: tuple[Reaction, ...] = ()
    """What people do while the run goes on."""
    gitlab: GitLabWorld = GitLabWorld()
    jira: JiraWorld
    model: ModelWorld = ModelWorld()
    ticket: Ticket
    catalogue: str
    """`bug-fix.yml` as the team wrote it; the product parses it, the sandbox only commits it."""
    conversations: tuple[Conversation, ...]

    def conversation(self, *, phase: str, issue: str, repository: str | None, iteration: int) -> Conversation | None:
        """Return the most precise conversation that answers this job, or None."""
        matching = [
            conversation
            for conversation in self.conversations
            if conversation.answers(phase=phase, issue=issue, repository=repository, iteration=iteration)
        ]
        return max(matching, key=Conversation.precision, default=None)
