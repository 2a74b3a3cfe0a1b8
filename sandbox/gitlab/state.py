"""What the emulated GitLab knows: users, tokens, projects, members, merge requests, notes and hooks, in memory.

Git objects live on disk in bare repositories (`Project.repository`). Pipelines and jobs belong to the CI engine, which
plugs in through `State.job_token_subject`, `State.on_push` and `State.dump_parts`. All of it runs on one event loop.
"""

import asyncio
import hashlib
import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
VERSION: Final = "19.1.0"
TEMPORARY_FAILURES: Final = 4
"""So many failures in a row disable a hook for a while."""
PERMANENT_FAILURES: Final = 40
"""So many disable it for good."""


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

    FREE = "free"
    """One reviewer and one assignee of a merge request: of several, the first is taken."""
    PREMIUM = "premium"


class Event(Enum):
    """What hooks can ask for; the value is the hook's flag without `_events`."""

    PUSH = "push"
    TAG_PUSH = "tag_push"
    MERGE_REQUEST = "merge_requests"
    NOTE = "note"
    CONFIDENTIAL_NOTE = "confidential_note"
    PIPELINE = "pipeline"
    JOB = "job"
    DEPLOYMENT = "deployment"
    FEATURE_FLAG = "feature_flag"


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


@dataclass
class Note:
    """One note of a merge request."""

    id: int
    body: str
    author_id: int
    created_at: datetime
    updated_at: datetime
    discussion_id: str
    system: bool = False
    internal: bool = False


@dataclass
class MergeRequest:
    """A merge request within one project."""

    id: int
    iid: int
    project_id: int
    title: str
    description: str
    source_branch: str
    target_branch: str
    author_id: int
    created_at: datetime
    updated_at: datetime
    state: str = "opened"
    """`opened`, `merged` or `closed`."""
    labels: list[str] = field(default_factory=list)
    assignee_ids: list[int] = field(default_factory=list)
    reviewer_ids: list[int] = field(default_factory=list)
    approved_by_ids: list[int] = field(default_factory=list)
    remove_source_branch: bool = False
    sha: str = ""
    """Head of the source branch."""
    versions: list[tuple[str, str, datetime]] = field(default_factory=list)
    """Heads that were pushed, oldest first: head, base, time."""
    base_sha: str = ""
    merge_commit_sha: str | None = None
    merged_by_id: int | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    notes: list[Note] = field(default_factory=list)


@dataclass
class HookDelivery:
    """One attempt to deliver one event to one hook."""

    id: int
    event: Event
    uuid: str
    idempotency_key: str
    request_headers: Json
    payload: Json
    created_at: datetime
    response_status: str = "pending"
    """An HTTP status as text, `internal error`, or `pending`."""
    response_body: str = ""
    duration: float = 0.0
    """Seconds."""


@dataclass
class Hook:
    """A project hook."""

    id: int
    url: str
    project_id: int
    created_at: datetime
    events: set[Event]
    token: str = ""
    signing_token: str = ""
    enable_ssl_verification: bool = True
    name: str = ""
    description: str = ""
    failures: int = 0
    disabled_until: datetime | None = None
    deliveries: list[HookDelivery] = field(default_factory=list)

    def flags(self) -> dict[str, bool]:
        """Give `push_events` and all others as the API names them."""
        return {f"{event.value}_events": event in self.events for event in Event}

    def alert_status(self, now: datetime) -> str:
        """Whether GitLab still calls this hook (doc/user/project/integrations/webhooks.md, auto-disabled webhooks)."""
        if self.failures >= PERMANENT_FAILURES:
            return "disabled"
        return "temporarily_disabled" if self.disabled_until and self.disabled_until > now else "executable"


@dataclass
class Project:
    """A project and its bare repository."""

    id: int
    path_with_namespace: str
    repository: Path
    created_at: datetime
    name: str = ""
    default_branch: str = "main"
    visibility: str = "private"
    members: dict[int, Access] = field(default_factory=dict)
    protected_branches: set[str] = field(default_factory=set)
    job_token_allowlist: set[int] = field(default_factory=set)
    """Ids of projects whose job tokens may come in; the project itself always may."""
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict)
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


Emitter = Callable[[Project, Event, Json], None]


class State:
    """The whole emulated instance."""

    def __init__(self, *, url: str, root: Path, clock: Callable[[], datetime] | None = None) -> None:
        self.url = url
        """The instance's own base URL, without a trailing slash; set again when the port is known."""
        self.root = root
        self.tier = Tier.FREE
        self.clock = clock or (lambda: datetime.now(UTC))
        self.users: dict[int, User] = {}
        self.tokens: dict[str, Token] = {}
        self.projects: dict[int, Project] = {}
        self.job_token_subject: Callable[[str], JobSubject | None] = lambda _token: None
        """Set by the CI engine: whom a job token speaks for while its job runs."""
        self.on_push: list[Callable[[Push], None]] = []
        """Called after a ref moved, by git or by the API."""
        self.on_merge_request: list[Callable[[Project, MergeRequest, User, str], None]] = []
        """Called with the action (`open`, `update`, `merge`, …) after a merge request changed."""
        self.dump_parts: dict[str, Callable[[], object]] = {}
        """Further parts of `GET /_sandbox/state`, by name."""
        self.head_pipeline: Callable[[Project, MergeRequest], Json | None] = lambda _project, _mr: None
        """Set by the CI engine: the newest pipeline for a merge request's head, in REST shape."""
        self.deliver: Emitter = lambda _project, _event, _payload: None
        """Set by the hook deliverer."""
        self.large_commits: list[datetime] = []
        """When large commits were asked for, as far as it counts for the next one."""
        self._counters: dict[str, int] = defaultdict(int)

    def now(self) -> datetime:
        """Give the aware time of the emulator's clock."""
        return self.clock()

    def next_id(self, kind: str) -> int:
        """Give the next id of this kind of thing, from 1."""
        self._counters[kind] += 1
        return self._counters[kind]

    def add_user(self, username: str, name: str, *, admin: bool = False, bot: bool = False) -> User:
        """Create a user."""
        user = User(id=self.next_id("user"), username=username, name=name, admin=admin, bot=bot)
        self.users[user.id] = user
        return user

    def add_token(self, user: User, *, value: str = "", scopes: frozenset[str] = frozenset({"api"})) -> Token:
        """Create a personal access token; the value is made up unless given."""
        token = Token(value or f"glpat-{secrets.token_urlsafe(20)}", user.id, scopes)
        self.tokens[token.value] = token
        return token

    def add_project(self, path_with_namespace: str, *, default_branch: str = "main") -> Project:
        """Create a project; its bare repository is made by `sandbox.gitlab.repository`."""
        project_id = self.next_id("project")
        digest = hashlib.sha256(str(project_id).encode()).hexdigest()
        project = Project(
            id=project_id,
            path_with_namespace=path_with_namespace,
            name=path_with_namespace.rpartition("/")[2],
            repository=self.root / "repositories" / digest[:2] / f"{digest[:16]}.git",
            created_at=self.now(),
            default_branch=default_branch,
            protected_branches={default_branch},
        )
        self.projects[project.id] = project
        return project

    def project(self, key: str | int) -> Project | None:
        """Find a project by id or full path."""
        text = str(key)
        if text.isdigit():
            return self.projects.get(int(text))
        return next((one for one in self.projects.values() if one.path_with_namespace == text), None)

    def user(self, username: str) -> User | None:
        """Find a user by username."""
        return next((one for one in self.users.values() if one.username == username), None)

    def access(self, user: User | None, project: Project) -> Access:
        """Give what a user may do in a project; an administrator may do all, a blocked user nothing."""
        if user is None or user.state != "active":
            return Access.NONE
        return Access.ADMIN if user.admin else project.members.get(user.id, Access.NONE)

    def emit(self, project: Project, event: Event, payload: Json) -> None:
        """Send an event to the project's hooks; delivered later, in the background."""
        self.deliver(project, event, payload)

    def dump(self) -> Mapping[str, object]:
        """Give further parts of the state, for tests."""
        return {name: part() for name, part in self.dump_parts.items()}
