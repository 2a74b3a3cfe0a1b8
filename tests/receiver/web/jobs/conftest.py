"""The emulated GitLab with jobs that run until they are told to end, so that their ID tokens are alive."""

import asyncio
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import gitlab
import httpx2
import jwt
import pytest
from msgspec import json, to_builtins

from pipelines.language import Phase, PhaseReport
from pipelines.language.wire import SessionRequest, encode
from sandbox.ci.engine.orders import RunnerSettings
from sandbox.ci.instance.instance import Ci
from sandbox.ci.records import Job
from sandbox.emulators import gitlab_application
from sandbox.gitlab.seed import Secrets, seed
from sandbox.gitlab.state import State
from sandbox.http.asgi_server import bind, in_thread
from tests.receiver.web.jobs.reported import a_report

RUN = "00000000000000aa"
RECEIVER = "http://receiver.example"
"""Whom tokens are meant for, wherever a test serves it."""
REPOSITORY = "payk12/contacts"

CONFIG = """
spec: {inputs: {receiver: {}}}
---
stages: [look, make, fix]
.job:
  id_tokens: {BUG_FIX_ID_TOKEN: {aud: "$[[ inputs.receiver ]]"}}
  script:
    - printf %s "$BUG_FIX_ID_TOKEN" > "$HOLD/$CI_JOB_ID.new"
    - mv "$HOLD/$CI_JOB_ID.new" "$HOLD/$CI_JOB_ID"
    - read -r < "$HOLD/end"
analysis: {extends: .job, stage: look}
lint: {extends: .job, stage: look}
generate:
  stage: make
  needs: []
  script:
    - |
      cat > child.yml <<EOF
      stages: [one]
      "testing: payk12/contacts":
        stage: one
        id_tokens: {BUG_FIX_ID_TOKEN: {aud: "$[[ inputs.receiver ]]"}}
        script:
          - printf %s "\\$BUG_FIX_ID_TOKEN" > "\\$HOLD/\\$CI_JOB_ID.new"
          - mv "\\$HOLD/\\$CI_JOB_ID.new" "\\$HOLD/\\$CI_JOB_ID"
          - read -r < "\\$HOLD/end"
      EOF
  artifacts: {paths: [child.yml]}
bug-fix:
  stage: fix
  needs: [generate]
  trigger: {include: [{artifact: child.yml, job: generate}], strategy: mirror}
"""


def wait_for(found: Callable[[], Any]) -> Any:
    for _ in range(3000):
        if (value := found()) is not None:
            return value
        threading.Event().wait(0.01)
    return pytest.fail("the state did not come")


@dataclass
class GitLab:
    """The emulated GitLab: pipelines, the tokens of their running jobs, and the key that signs them."""

    url: str
    secrets: Secrets
    ci: Ci
    hold: Path
    end: BinaryIO
    """What jobs wait for a line of."""

    def __post_init__(self) -> None:
        api = gitlab.Gitlab(self.url, private_token=self.secrets.starter_token)
        self.project: Any = api.projects.get("payk12/bug-fix")

    def start(self, receiver: str) -> Any:
        return self.project.pipelines.create({"ref": "main", "inputs": {"receiver": receiver}})

    def child(self, pipeline: Any) -> Any:
        def found() -> Any:
            (bridge,) = pipeline.bridges.list()
            return bridge.downstream_pipeline

        return self.project.pipelines.get(wait_for(found)["id"])

    def token(self, pipeline: Any, name: str) -> tuple[int, str]:
        """Wait until a job runs; return its id and its ID token."""

        def found() -> tuple[int, str] | None:
            job = self.job(pipeline, name)
            if job is None or not (file := self.hold / str(job.id)).exists():
                return None
            return job.id, file.read_text()

        known: tuple[int, str] = wait_for(found)
        return known

    def job(self, pipeline: Any, name: str) -> Job | None:
        """Return a pipeline's job as the engine knows it: to ask by HTTP until it has moved costs more than the job."""
        jobs = self.ci.engine.pipelines[pipeline.id].jobs
        return next((job for job in jobs if job.name == name and not job.retried), None)

    def end_jobs(self) -> None:
        """Let all jobs end, also those that begin later: each waits for a line."""
        self.end.write(b"\n" * 1000)

    def signed(self, token: str, **claims: Any) -> str:
        """Return a token that GitLab's own key signed, with other claims; None takes one out."""
        said = jwt.decode(token, options={"verify_signature": False}) | claims
        return self.ci.site.signer.sign({name: value for name, value in said.items() if value is not None})


@pytest.fixture
def pipeline_config() -> str:
    """Give the automation project's .gitlab-ci.yml; modules may have another one."""
    return CONFIG


@contextmanager
def emulated(folder: Path, config: str) -> Iterator[GitLab]:
    """Emulate a GitLab whose automation project has this .gitlab-ci.yml."""
    checkout, sources, hold = folder / "checkout", folder / "contacts", folder / "hold"
    for one in (checkout, sources, hold):
        one.mkdir()
    (checkout / ".gitlab-ci.yml").write_text(config)
    (checkout / "templates" / "ci").mkdir(parents=True)
    (checkout / "templates" / "ci" / "phases.yml").write_text(".nothing: {script: ['true']}\n")
    (sources / "app.py").write_text("pass\n")
    os.mkfifo(hold / "end")
    listener, url = bind()
    state = State(url=url, root=folder / "gitlab")
    known = asyncio.run(
        seed(
            state,
            people={},
            repositories={"payk12/contacts": sources},
            catalogue="version: 1\n",
            automation=checkout,
            receiver="http://127.0.0.1:9",
        )
    )
    ci = Ci(
        state,
        RunnerSettings(root=folder / "runner", variables={"HOLD": str(hold), "PYTHON": sys.executable}, concurrency=64),
    )
    with (
        (hold / "end").open("r+b", buffering=0) as end,
        in_thread(gitlab_application.create(state, ci=ci), listener),
    ):
        running = GitLab(url, known, ci, hold, end)
        yield running
        running.end_jobs()


@pytest.fixture
def world(tmp_path: Path, pipeline_config: str) -> Iterator[GitLab]:
    with emulated(tmp_path, pipeline_config) as running:
        yield running


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[GitLab, Any]]:
    """Return a GitLab, and a pipeline whose jobs run until the last test of the module."""
    with emulated(tmp_path_factory.mktemp("standing"), CONFIG) as running:
        yield running, running.start(RECEIVER)


@dataclass
class Door:
    """The receiver as jobs see it, with a run whose pipeline runs in GitLab. All tests of a module share its jobs."""

    url: str
    desk: Any
    world: GitLab
    pipeline: Any

    def other(self, *, ours: bool) -> Any:
        """Start another pipeline; we know it when it is `ours`."""
        started = self.world.start(RECEIVER)
        if ours:
            self.desk.rows(
                "INSERT INTO pipelines (id, project_id, run_id, iteration, status, url, seen_at)"
                " SELECT %s, %s, id, 1, 'running', '', now() FROM runs",
                started.id,
                self.world.project.id,
            )
        return started

    def ask(self, token: str, phase: str = "analysis", **more: Any) -> httpx2.Response:
        """Ask for a session."""
        wanted = SessionRequest(**{"run": RUN, "iteration": 1, "phase": phase} | more)
        headers = {"authorization": f"Bearer {token}"}
        return httpx2.post(f"{self.url}/api/jobs/session", content=encode(wanted), headers=headers, timeout=30)


@pytest.fixture
def door(standing: tuple[GitLab, Any], serve: Any, desk: Any) -> Door:
    world, pipeline = standing
    url = serve(
        clock=lambda: datetime.now(UTC),
        gitlab_url=world.url,
        gitlab_token=world.secrets.token,
        public_url=RECEIVER,
    )
    desk.run(pipeline=pipeline.id, project=world.project.id)
    return Door(url, desk, world, pipeline)


class Api:
    """The job API with one job's session."""

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/api/jobs"
        self._headers = {"authorization": f"Bearer {token}"}

    def spec(self) -> httpx2.Response:
        return self._ask("GET", "/spec")

    def report(self, report: PhaseReport | bytes) -> httpx2.Response:
        body = report if isinstance(report, bytes) else encode(report)
        return self._ask("POST", "/report", body)

    def blob(self, content: bytes, digest: str | None = None) -> httpx2.Response:
        return self._ask("PUT", f"/blobs/{digest or hashlib.sha256(content).hexdigest()}", content)

    def read_blob(self, digest: str) -> httpx2.Response:
        return self._ask("GET", f"/blobs/{digest}")

    def context(self, body: bytes) -> httpx2.Response:
        return self._ask("PUT", "/contexts", body)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> httpx2.Response:
        return httpx2.request(method, self._url + path, content=body, headers=self._headers, timeout=30)


@pytest.fixture
def jobs(serve: Any, desk: Any) -> Callable[..., Api]:
    """Give the job API to a job of a phase."""
    desk.run()
    url = serve()
    return lambda phase, **more: Api(url, desk.session(phase, **more))


@pytest.fixture
def has_reported(desk: Any) -> Callable[..., None]:
    """Let a phase have reported, with GitLab's word about its job in `state`."""

    def store(phase: Phase, *, state: str = "accepted", job: int = 1, reason: str = "", **changes: Any) -> None:
        report = a_report(phase, **changes)
        desk.rows(
            "INSERT INTO reports (run_id, iteration, phase, repository, project_id, pipeline_id, job_id, sha256,"
            " report, outcome, state, reason, received_at)"
            " VALUES (%s, %s, %s, %s, 1, 100, %s, %s, %s, %s, %s, %s, now())",
            report.run,
            report.iteration,
            phase,
            report.repository,
            job,
            hashlib.sha256(encode(report)).hexdigest(),
            json.encode(to_builtins(report)).decode(),
            report.outcome,
            state,
            reason,
        )

    return store
