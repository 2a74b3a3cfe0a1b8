"""A seeded GitLab emulator with its CI engine on a real socket, and a recorder of hooks."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gitlab
import httpx2
import msgspec
import pytest

from sandbox.ci.engine.orders import RunnerSettings
from sandbox.ci.instance.instance import Ci
from sandbox.emulators import gitlab_application
from sandbox.gitlab.model import Access
from sandbox.gitlab.seed import Person, Secrets, seed
from sandbox.gitlab.state import State
from sandbox.http import Application, Body, Request, Response, Route, Router
from sandbox.http.asgi_server import bind, in_thread


@dataclass
class Recorder:
    """Records what hooks bring."""

    url: str = ""
    got: list[Any] = field(default_factory=list)

    def take(self, request: Request) -> Response:
        self.got.append(msgspec.json.decode(request.body))
        return Response(status=202)


@dataclass
class Running:
    """The running emulator, seen from outside; `ci` is for looking at state."""

    url: str
    secrets: Secrets
    state: State
    recorder: Recorder
    ci: Ci
    stop: Callable[[], None]

    def client(self, who: str = "starter") -> gitlab.Gitlab:
        known = {"bot": self.secrets.token, "starter": self.secrets.starter_token, "root": self.secrets.admin_token}
        return gitlab.Gitlab(self.url, private_token=known.get(who) or self.secrets.user_tokens[who])

    def project(self, who: str = "starter", path: str = "payk12/bug-fix") -> Any:
        return self.client(who).projects.get(path)

    def settled(self) -> Any:
        """Wait until no job moves by itself and all hooks are sent; give the engine's dump."""
        answer = httpx2.get(f"{self.url}/_sandbox/jobs/settled", params={"timeout_s": "60"}, timeout=70)
        answer.raise_for_status()
        while not httpx2.get(f"{self.url}/_sandbox/state", timeout=60).json()["hooks_idle"]:
            threading.Event().wait(0.01)
        return answer.json()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that a running job does."""
        for _ in range(6000):
            if condition():
                return
            threading.Event().wait(0.01)
        pytest.fail("the state did not come")

    def switch(self, verb: str, **body: str) -> None:
        httpx2.post(f"{self.url}/_sandbox/jobs/{verb}", json=body, timeout=60).raise_for_status()

    def events(self, kind: str) -> list[Any]:
        return [one for one in self.recorder.got if one["object_kind"] == kind]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start an emulator whose automation project has this configuration."""
    receivers, emulators = ExitStack(), ExitStack()

    def start(
        config: str, *, concurrency: int = 4, path: str = "/usr/local/bin:/usr/bin:/bin", **files: str
    ) -> Running:
        recorder = Recorder()
        router = Router("receiver")
        router.include(recorder, (Route("POST", "/hooks/gitlab", Recorder.take, body=Body.FREE),))
        listener, recorder.url = bind()
        receivers.enter_context(in_thread(Application(router), listener))
        checkout, sources = tmp_path / "checkout", tmp_path / "contacts"
        for folder, name, text in [(checkout, ".gitlab-ci.yml", config), (sources, "app.py", "pass\n")]:
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        for name, text in files.items():
            (checkout / "templates" / "ci").mkdir(parents=True, exist_ok=True)
            (checkout / "templates" / "ci" / f"{name}.yml").write_text(text)
        gate, url = bind()
        state = State(url=url, root=tmp_path / "gitlab")
        people = {
            "mara": Person(name="Mara Lindqvist", access=Access.MAINTAINER),
            "tomas": Person(name="Tomás Ferreira", access=Access.DEVELOPER),
            "rosa": Person(name="Rosa", access=Access.REPORTER),
        }
        secrets = asyncio.run(
            seed(
                state,
                people=people,
                repositories={"payk12/contacts": sources, "payk12/closed": sources},
                catalogue="version: 1\n",
                automation=checkout,
                receiver=recorder.url,
            )
        )
        closed = state.project("payk12/closed")
        assert closed is not None
        closed.job_token_allowlist = set()
        ci = Ci(state, RunnerSettings(root=tmp_path / "runner", path=path, concurrency=concurrency))
        emulators.enter_context(in_thread(gitlab_application.create(state, ci=ci), gate))
        return Running(url, secrets, state, recorder, ci, emulators.close)

    with receivers, emulators:
        yield start
