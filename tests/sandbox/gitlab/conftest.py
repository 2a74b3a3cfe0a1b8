"""A seeded GitLab emulator on a real socket, a receiver that records hooks, and real python-gitlab clients."""

import asyncio
import copy
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gitlab
import httpx2
import pytest

from sandbox.emulators import gitlab_application
from sandbox.gitlab.api.commits import Action, NewCommit, commit_actions
from sandbox.gitlab.api.merge_request_changes import NewMergeRequest, open_merge_request, prepare
from sandbox.gitlab.model import Access, JobSubject
from sandbox.gitlab.seed import Person, Secrets, seed
from sandbox.gitlab.state import State
from sandbox.http import Application, Body, Request, Response, Route, Router
from sandbox.http.asgi_server import bind, in_thread


@dataclass
class Receiver:
    """Records what hooks bring, and answers as it is told."""

    url: str = ""
    status: int = 202
    got: list[Request] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, request: Request) -> Response:
        with self.changed:
            self.got.append(request)
            self.changed.notify_all()
        return Response(status=self.status)

    def wait(self, count: int) -> list[Request]:
        """Wait until so many hooks have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, timeout=60), f"{len(self.got)} of {count} came"
        return self.got

    def of(self, event: str) -> list[Request]:
        return [one for one in self.got if one.headers["x-gitlab-event"] == event]

    def wait_for(self, event: str, count: int = 1) -> list[Request]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.of(event)) >= count, timeout=60), f"no {event}"
        return self.of(event)


@dataclass
class Emulated:
    """The running emulator, with what a test needs to talk to it."""

    url: str
    state: State
    secrets: Secrets
    receiver: Receiver
    jobs: dict[str, JobSubject]

    def client(self, who: str = "bot", **more: Any) -> gitlab.Gitlab:
        return gitlab.Gitlab(self.url, private_token=self.token(who), retry_transient_errors=False, **more)

    def token(self, who: str) -> str:
        known = {"bot": self.secrets.token, "starter": self.secrets.starter_token, "root": self.secrets.admin_token}
        return known.get(who) or self.secrets.user_tokens[who]

    def faults(self, **body: Any) -> None:
        httpx2.post(f"{self.url}/_sandbox/faults", json=body, timeout=60).raise_for_status()

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "the state did not come"
            threading.Event().wait(0.01)

    def settled(self) -> None:
        """Wait until no hook waits to be sent."""
        self.until(lambda: bool(httpx2.get(f"{self.url}/_sandbox/state", timeout=60).json()["hooks_idle"]))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    recorder = Receiver()
    router = Router("receiver")
    router.include(recorder, (Route("POST", "/hooks/gitlab", Receiver.take, body=Body.FREE),))
    listener, recorder.url = bind()
    with in_thread(Application(router), listener):
        yield recorder


def copy_of(template: State, *, url: str, root: Path, receiver: str) -> State:
    """Copy a seeded emulator that was never started, repositories included."""
    shutil.copytree(template.root, root)
    state = copy.deepcopy(template)
    state.url, state.root = url, root
    for project in state.projects.values():
        project.repository = root / project.repository.relative_to(template.root)
        for hook in project.hooks.values():
            hook.url = receiver + hook.url
    return state


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[State, Secrets]:
    """Seed an emulator that is never started; tests get copies, since seeding runs some twenty git processes."""
    folder = tmp_path_factory.mktemp("seeded")
    sources = folder / "contacts"
    (sources / "src").mkdir(parents=True)
    (sources / "src" / "contacts.py").write_text("def save(name):\n    return name\n")
    (sources / "run.sh").write_text("#!/bin/sh\n")
    (sources / "run.sh").chmod(0o755)
    checkout = folder / "checkout"
    checkout.mkdir()
    (checkout / ".gitlab-ci.yml").write_text("check: {script: 'true'}\n")
    state = State(url="", root=folder / "gitlab")
    people = {
        "mara": Person(name="Mara Lindqvist", access=Access.MAINTAINER),
        "tomas": Person(name="Tomás Ferreira", access=Access.DEVELOPER),
        "gwen": Person(name="Gwen", access=Access.GUEST),
        "nobody": Person(name="Nobody", access=Access.NONE),
    }
    secrets = asyncio.run(
        seed(
            state,
            people=people,
            repositories={"payk12/contacts": sources, "payk12/other": sources},
            catalogue="version: 1\n",
            automation=checkout,
            receiver="",
        )
    )
    return state, secrets


Emulate = Callable[..., AbstractContextManager[Emulated]]


@pytest.fixture(scope="session")
def emulate(seeded: tuple[State, Secrets]) -> Emulate:
    """Return a function that runs a copy of the seeded emulator in a folder, with hooks for a receiver."""
    template, secrets = seeded

    @contextmanager
    def run(folder: Path, receiver: Receiver, of: State = template) -> Iterator[Emulated]:
        listener, url = bind()
        state = copy_of(of, url=url, root=folder / "gitlab", receiver=receiver.url)
        jobs: dict[str, JobSubject] = {}
        state.job_token_subject = jobs.get
        with in_thread(gitlab_application.create(state), listener):
            yield Emulated(url, state, secrets, receiver, jobs)

    return run


@pytest.fixture
def emulated(tmp_path: Path, receiver: Receiver, emulate: Emulate) -> Iterator[Emulated]:
    with emulate(tmp_path, receiver) as running:
        yield running


LINES = tuple(f"line {number}" for number in range(1, 21))


def lines(**changed: str | None) -> str:
    """Return the file of `proposal` with lines changed (`l10="ten"`); None takes a line out."""
    new = {int(name[1:]): text for name, text in changed.items()}
    kept = (new.get(number, line) for number, line in enumerate(LINES, start=1))
    return "".join(f"{line}\n" for line in kept if line is not None)


@dataclass
class Proposal:
    """A merge request of the bot, `fix` into `main`, that changes line 10 of a file of twenty lines."""

    emulated: Emulated
    iid: int = 1
    file: str = "src/lines.txt"
    branch: str = "fix"

    def project(self, who: str = "bot") -> Any:
        return self.emulated.client(who).projects.get("payk12/contacts")

    def seen_by(self, who: str = "bot") -> Any:
        """Read the merge request as this user."""
        return self.project(who).mergerequests.get(self.iid)

    def commit(self, content: str, *, who: str = "bot", branch: str = "fix", **more: Any) -> Any:
        """Commit a new content of the file, or of another one."""
        path = more.pop("path", self.file)
        action = {"action": more.pop("action", "update"), "file_path": path, "content": content}
        return self.project(who).commits.create(
            {"branch": branch, "commit_message": "Change lines", "actions": [action], **more}
        )

    def place(self, *, old_line: int | None = None, new_line: int | None = None, **more: Any) -> dict[str, Any]:
        """Return the `position` of a note on a line of the diff."""
        refs = self.seen_by().diff_refs
        where = {"position_type": "text", "old_path": self.file, "new_path": self.file}
        place = {**refs, **where, "old_line": old_line, "new_line": new_line, **more}
        return {key: value for key, value in place.items() if value is not None}

    def hooks(self, event: str = "Merge Request Hook") -> list[Any]:
        """Return what was told of an event so far."""
        self.emulated.settled()
        return [one.json() for one in self.emulated.receiver.of(event)]

    def control(self, method: str, path: str, /, **body: Any) -> httpx2.Response:
        """Use a route of the emulator itself."""
        return httpx2.request(method, f"{self.emulated.url}/_sandbox/{path}", json=body, timeout=60)


@pytest.fixture(scope="session")
def proposed(seeded: tuple[State, Secrets], tmp_path_factory: pytest.TempPathFactory) -> State:
    """Make the merge request of `proposal` in an emulator that is never started."""
    state = copy_of(seeded[0], url="", root=tmp_path_factory.mktemp("proposed") / "gitlab", receiver="")

    async def make() -> None:
        project, bot, mara = state.project("payk12/contacts"), state.user("bug-fix-bot"), state.user("mara")
        assert project is not None
        assert bot is not None
        assert mara is not None
        for user, branch, content in ((mara, "main", lines()), (bot, "fix", lines(l10="ten"))):
            action = Action(action="update" if user is bot else "create", file_path=Proposal.file, content=content)
            more = {"start_branch": "main"} if user is bot else {}
            new = NewCommit(branch=branch, commit_message="Change lines", actions=[action], **more)
            await commit_actions(state, project, user, new)
        opened = NewMergeRequest(source_branch="fix", target_branch="main", title="Fix ten")
        mr = await open_merge_request(state, project, bot, opened)
        await prepare(state, project, mr, bot)

    asyncio.run(make())
    return state


@pytest.fixture
def proposal(tmp_path: Path, receiver: Receiver, emulate: Emulate, proposed: State) -> Iterator[Proposal]:
    with emulate(tmp_path, receiver, proposed) as running:
        yield Proposal(running)


CREDENTIALS = re.compile(r"(?P<scheme>https?://)(?P<user>[^:@/]+):(?P<token>[^@/]+)@(?P<host>[^/]+)(?P<path>/.*)")


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run git; it gets the tokens of its URLs by a file, since everybody on the machine reads command lines."""

    def kept(argument: str) -> str:
        url = CREDENTIALS.fullmatch(argument)
        if url is None:
            return argument
        with (tmp_path / ".git-credentials").open("a") as file:
            file.write(f"{url['scheme']}{url['user']}:{url['token']}@{url['host']}\n")
        return f"{url['scheme']}{url['user']}@{url['host']}{url['path']}"

    def run(*arguments: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "credential.helper",
            "GIT_CONFIG_VALUE_0": "store",
            "GIT_AUTHOR_NAME": "T",
            "GIT_AUTHOR_EMAIL": "t@example.org",
            "GIT_COMMITTER_NAME": "T",
            "GIT_COMMITTER_EMAIL": "t@example.org",
        }
        command = ["git", *map(kept, arguments)]
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)

    return run
