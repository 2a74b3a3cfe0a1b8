"""What stands in the emulated GitLab: users, tokens, projects. Data only.

Git objects lie on disk in bare repositories (`Project.repository`).
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum
from pathlib import Path

from sandbox.gitlab.hook_model import Hook
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.merge_train_model import Car


class Access(IntEnum):
    """GitLab's access levels (doc/api/members.md)."""

    NONE = 0
    MINIMAL = 5
    GUEST = 10
    PLANNER = 15
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50
    ADMIN = 60


class Tier(Enum):
    """What GitLab is paid for, as far as the emulator tells the difference."""

    COMMUNITY = "community"
    """The Community Edition: as the free tier, but the answers about approvals are shorter."""
    FREE = "free"
    """One reviewer and one assignee of a merge request: of several, the first is taken. No approval rules."""
    PREMIUM = "premium"


@dataclass
class User:
    """A user; bots are users too."""

    id: int
    username: str
    name: str
    admin: bool = False
    bot: bool = False
    state: str = "active"
    """`active` or `blocked`."""


@dataclass(frozen=True)
class Token:
    """A personal access token."""

    value: str
    user_id: int
    scopes: frozenset[str] = frozenset({"api"})


@dataclass(frozen=True)
class JobSubject:
    """Whom a job token speaks for: the user who started the pipeline, from inside one project."""

    user_id: int
    project_id: int
    job_id: int


class RuleType(Enum):
    """Of whom an approval rule wants approvals."""

    ANY_APPROVER = "any_approver"
    REGULAR = "regular"
    """Of the users that it names."""


@dataclass
class ApprovalRule:
    """How many approvals a project wants, and of whom. Premium."""

    id: int
    name: str
    type: RuleType
    approvals_required: int
    user_ids: list[int] = field(default_factory=list)


class MergeMethod(Enum):
    """How a project merges."""

    MERGE = "merge"
    """With a merge commit."""
    REBASE_MERGE = "rebase_merge"
    """With a merge commit, of a source that stands on the target's head."""
    FAST_FORWARD = "ff"
    """Without one."""


@dataclass
class MergeSettings:
    """What a project says about merging; the names are those of `PUT /projects/:id`."""

    merge_method: MergeMethod = MergeMethod.MERGE
    only_allow_merge_if_pipeline_succeeds: bool = False
    allow_merge_on_skipped_pipeline: bool = False
    merge_pipelines_enabled: bool = False
    """Premium, with the one below, which needs it."""
    merge_trains_enabled: bool = False
    only_allow_merge_if_all_discussions_are_resolved: bool = False
    resolve_outdated_diff_discussions: bool = False
    """Threads on lines that a push has changed are resolved by it."""
    reset_approvals_on_push: bool = True
    """Premium, with the two below; changed by `POST /projects/:id/approvals`."""
    merge_requests_author_approval: bool = False
    merge_requests_disable_committers_approval: bool = False


@dataclass
class Project:
    """A project and its bare repository."""

    id: int
    path_with_namespace: str
    repository: Path
    created_at: datetime
    name: str = ""
    default_branch: str = "main"
    ci_config_path: str = ""
    """The setting, as the API tells it; pipelines here begin at `.gitlab-ci.yml` all the same."""
    visibility: str = "private"
    settings: MergeSettings = field(default_factory=MergeSettings)
    approval_rules: dict[int, ApprovalRule] = field(default_factory=dict)
    members: dict[int, Access] = field(default_factory=dict)
    protected_branches: set[str] = field(default_factory=set)
    job_token_allowlist: set[int] = field(default_factory=set)
    """Ids of projects whose job tokens may come in; the project itself always may."""
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict)
    cars: list[Car] = field(default_factory=list)
    """Of all its merge trains, in the order in which they came."""
    hooks: dict[int, Hook] = field(default_factory=dict)
    uploads: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    """(secret, file name) → (content type, content)."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the repository or a merge request is looked at and then changed."""

    @property
    def path(self) -> str:
        """The last part of the full path."""
        return self.path_with_namespace.rpartition("/")[2]

    @property
    def namespace(self) -> str:
        """All but the last part of the full path."""
        return self.path_with_namespace.rpartition("/")[0]


@dataclass(frozen=True)
class Push:
    """One ref of one repository has moved."""

    project: Project
    user: User
    ref: str
    """Full ref, `refs/heads/…`."""
    before: str
    after: str
    skips_ci: bool = False
    """With the push option `ci.skip`, in whatever way it was given."""
