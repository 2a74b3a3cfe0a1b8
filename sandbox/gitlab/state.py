"""The emulated GitLab's state in memory, and how it is looked up and added to. All of it runs on one event loop.

Pipelines and jobs belong to the CI engine, which plugs in through `State.job_token_subject`, `State.on_push` and
`State.dump_parts`.
"""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from sandbox.gitlab.background import Background
from sandbox.gitlab.hook_model import Event, Json
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.merge_train_model import Car
from sandbox.gitlab.model import Access, JobSubject, Project, Push, Tier, Token, User

VERSION: Final = "19.1.0"


Emitter = Callable[[Project, Event, Json], None]


class Pipelines(Protocol):
    """What the emulated GitLab asks the CI engine."""

    def of_head(self, project: Project, mr: MergeRequest) -> Json | None:
        """Give the newest pipeline of a merge request's head, in REST shape."""

    def get(self, pipeline_id: int) -> Json | None:
        """Give a pipeline in REST shape."""

    async def start_train(self, project: Project, mr: MergeRequest, car: Car) -> int:
        """Start the pipeline of a merge train's car and give its id; NoPipeline where there can be none."""

    def cancel(self, pipeline_id: int) -> None:
        """Cancel a pipeline, if it isn't over."""

    def train_changed(self, project: Project, target_branch: str) -> None:
        """Have a merge train looked at, soon."""


class NoPipeline(Exception):  # noqa: N818 - named for what happened
    """Why a pipeline could not be made."""


class NoPipelines:
    """Stands in for the CI engine where there is none."""

    def of_head(self, _project: Project, _mr: MergeRequest) -> Json | None:
        """Give none."""
        return None

    def get(self, _pipeline_id: int) -> Json | None:
        """Give none."""
        return None

    async def start_train(self, _project: Project, _mr: MergeRequest, _car: Car) -> int:
        """Refuse."""
        raise NoPipeline("there is no CI engine")

    def cancel(self, _pipeline_id: int) -> None:
        """Do nothing."""

    def train_changed(self, _project: Project, _target_branch: str) -> None:
        """Do nothing."""


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
        self.pipelines: Pipelines = NoPipelines()
        """Set by the CI engine."""
        self.deliver: Emitter = lambda _project, _event, _payload: None
        """Set by the hook deliverer."""
        self.background = Background()
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
