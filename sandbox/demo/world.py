"""Bring up a whole world for a scenario: Postgres, the emulators, the receiver and a worker. Plays nothing itself."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec
from msgspec import Struct

from sandbox.demo import postgres_server
from sandbox.demo.processes import DemoError, Process, free_port, python_module, wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
STARTUP_S = 180.0
"""For a process to start; one that ends is noticed at once, so this is for busy machines only."""
READ_TOKEN = "the-demos-read-token"  # noqa: S105 - opens the demo's own receiver on loopback, nothing else


class Vendors(Struct, frozen=True, kw_only=True):
    """What `sandbox.json` says of the emulators."""

    gitlab: dict[str, str]
    jira: dict[str, str]
    anthropic: dict[str, str]
    issue_key: str
    people: dict[str, dict[str, str]]
    """By username: `jira_login` and `jira_token`."""


class World:
    """Everything that a scenario needs, as processes; a context manager that takes it all down again."""

    def __init__(
        self,
        *,
        scenario: str,
        state: Path,
        catalogue: Path,
        extra: dict[str, str] | None = None,
        page_size: int | None = None,
    ) -> None:
        """Prepare a world in `state`, an empty or absent folder. Nothing runs before `start_*` is called."""
        self.scenario = scenario
        self.state = state
        self.catalogue = catalogue
        self.extra = extra or {}
        self.page_size = page_size
        self.port = free_port()
        self.receiver_url = f"http://127.0.0.1:{self.port}"
        self._postgres: Any = None
        self._processes: dict[str, Process] = {}
        self._workers = 0
        self.vendors: Vendors | None = None
        self.database_url = ""

    def __enter__(self) -> Self:
        """Make the state folder."""
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)
        self.state.chmod(0o755)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything: all are asked at once, and waited for from the newest on."""
        for process in reversed(self._processes.values()):
            process.ask_to_end()
        for process in reversed(self._processes.values()):
            process.stop()
        if self._postgres is not None:
            self._postgres.cleanup()

    def start_postgres(self) -> str:
        """Start the embedded server and return its version, for example `18.4`."""
        self._postgres = postgres_server.start(self.state / "postgres")
        self.database_url = self._postgres.get_uri()
        version: str = self._postgres.psql("show server_version")
        return version.splitlines()[2].strip().split(" ")[0]

    def start_sandbox(self) -> None:
        """Start the three emulators; read their addresses and tokens."""
        folder = self.state / "sandbox"
        arguments = ["--scenario", self.scenario, "--state", str(folder), "--receiver", self.receiver_url]
        arguments += [] if self.page_size is None else ["--page-size", str(self.page_size)]
        launcher = Path(sys.executable).parent
        process = self._start("sandbox", "sandbox", "serve", *arguments, "--ci-path", str(launcher))
        told = folder / "sandbox.json"
        wait_until(told.exists, what="The sandbox", process=process, within_s=STARTUP_S)
        facts = json.loads(told.read_text())
        self.vendors = msgspec.convert(facts, Vendors)

    def start_receiver(self) -> None:
        """Migrate the database and start the web service."""
        migrated = self._start("migrate", "receiver", "migrate")
        wait_until(lambda: not migrated.running(), what="The migration", process=None, within_s=STARTUP_S)
        process = self._start("receiver", "receiver", "serve")
        with httpx2.Client(base_url=self.receiver_url, timeout=2) as http:
            wait_until(lambda: _is_ready(http), what="The receiver", process=process, within_s=STARTUP_S)

    def start_worker(self) -> None:
        """Start a worker; the one before, if any, has been killed."""
        self._workers += 1
        self._start("worker" if self._workers == 1 else f"worker-{self._workers}", "receiver", "work")

    def kill_worker(self) -> int:
        """SIGKILL the running worker and return its process id."""
        name = "worker" if self._workers == 1 else f"worker-{self._workers}"
        process = self._processes[name]
        process.kill()
        return process.pid

    def restart_postgres(self) -> None:
        """Stop the server under everybody's connections and start it again, as an upgrade of it does."""
        self._postgres.stop()
        self._postgres.start()

    def alive(self) -> None:
        """Raise DemoError when a process that should run has ended."""
        for name in ("sandbox", "receiver"):
            process = self._processes.get(name)
            if process is not None and not process.running():
                raise DemoError(f"The {name} has ended. The end of {process.log}:\n{process.tail()}")

    def settings(self) -> dict[str, str]:
        """Return the receiver's settings as environment variables."""
        if self.vendors is None:
            return {}
        gitlab, jira, anthropic = self.vendors.gitlab, self.vendors.jira, self.vendors.anthropic
        return {
            "DATABASE_URL": self.database_url,
            "GITLAB_URL": gitlab["url"],
            "GITLAB_TOKEN": gitlab["token"],
            "GITLAB_STARTER_TOKEN": gitlab["starter_token"],
            "GITLAB_OIDC_ISSUER": gitlab["oidc_issuer"],
            "GITLAB_WEBHOOK_SECRETS": for_each_group(gitlab["webhook_secret"], gitlab["groups"]),
            "GITLAB_SIGNING_TOKENS": for_each_group(gitlab["webhook_signing_token"], gitlab["groups"]),
            "JIRA_URL": jira["url"],
            "JIRA_USER": jira["user"],
            "JIRA_TOKEN": jira["token"],
            "JIRA_WEBHOOK_SECRETS": jira["webhook_secret"],
            "ANTHROPIC_BASE_URL": anthropic["url"],
            "ANTHROPIC_API_KEY": anthropic["api_key"],
            "BUG_FIX_CATALOGUE": str(self.catalogue),
            "PUBLIC_URL": self.receiver_url,
            "READ_TOKENS": READ_TOKEN,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }

    def _start(self, name: str, module: str, *arguments: str) -> Process:
        passed = ("PATH", "HOME", "LANG", "TMPDIR", "BUG_FIX_BROWSER")
        environment = {key: os.environ[key] for key in passed if key in os.environ}
        environment |= {"PYTHONUNBUFFERED": "1", **self.settings(), **self.extra}
        process = Process(
            name, python_module(module, *arguments), environment=environment, log=self.state / "logs" / f"{name}.log"
        )
        self._processes[name] = process
        return process


def for_each_group(secret: str, groups: str) -> str:
    """Return the setting by which one secret of hooks speaks for all groups of a scenario."""
    return ",".join(f"{group}:{secret}" for group in groups.split(","))


def _is_ready(http: httpx2.Client) -> bool:
    try:
        return http.get("/ready").status_code == 200
    except httpx2.TransportError:
        return False
