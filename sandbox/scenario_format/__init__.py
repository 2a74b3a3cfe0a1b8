"""A scenario: a folder with users, repositories, a ticket and what the model says. Plays nothing itself.

The format is described in docs/scenarios.md.
"""

from sandbox.scenario_format.conversation import Conversation, ToolUse, Turn
from sandbox.scenario_format.expected import Expected, GitLabAct, Reaction, Reproduction
from sandbox.scenario_format.folder import SCENARIOS, ScenarioError, find, load, names
from sandbox.scenario_format.scenario import Scenario
from sandbox.scenario_format.ticket import Attachment, Comment, Ticket
from sandbox.scenario_format.world import Access, Flavour, JiraTransition, JiraWorld, ModelWorld, User

__all__ = [
    "SCENARIOS",
    "Access",
    "Attachment",
    "Comment",
    "Conversation",
    "Expected",
    "Flavour",
    "GitLabAct",
    "JiraTransition",
    "JiraWorld",
    "ModelWorld",
    "Reaction",
    "Reproduction",
    "Scenario",
    "ScenarioError",
    "Ticket",
    "ToolUse",
    "Turn",
    "User",
    "find",
    "load",
    "names",
]
