"""The world of a scenario: its people, and how its Jira and its Messages API behave."""

from enum import Enum
from typing import Annotated, Literal

import msgspec


class Access(Enum):
    """What a user may do in the scenario's GitLab repositories."""

    NONE = "none"
    GUEST = "guest"
    REPORTER = "reporter"
    DEVELOPER = "developer"
    MAINTAINER = "maintainer"


class Flavour(Enum):
    """Which Jira answers: its user fields, its API versions and its hooks differ."""

    CLOUD = "cloud"
    DATA_CENTER = "data_center"


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person of the story, known to GitLab and to Jira alike."""

    name: str
    """Display name."""
    email: str
    account_id: str
    """Jira Cloud account id; also the user's `key` where Jira is a Data Center."""
    groups: tuple[str, ...] = ()
    """Jira groups."""
    access: Access = Access.NONE


class GitLabWorld(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the scenario's GitLab looks, apart from its people and repositories."""

    bot_access: Access = Access.DEVELOPER
    """What our bot may do in the repositories; to merge into their protected branches it has to be a maintainer."""


class JiraTransition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"origins": "from"}):
    """A way from some statuses (`from`; none given: from all) to another."""

    name: str
    to: str
    origins: tuple[str, ...] = ()
    required: tuple[Literal["resolution", "assignee", "comment"], ...] = ()
    """Fields of its screen that must be filled."""


class JiraWorld(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the scenario's Jira looks, apart from its ticket."""

    project_name: str = "Platform"
    flavour: Flavour = Flavour.CLOUD
    transitions: tuple[JiraTransition, ...] = ()
    """None given: the usual way through To Do, In Progress, In Review and Done."""


class ModelWorld(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the scenario's Messages API behaves, apart from what the model says."""

    minutes_between_jobs: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    """Simulated: the API's own clock goes forward by so much before each conversation, so that its cache entries age
    as they do while jobs wait for runners. Nothing waits for it."""
