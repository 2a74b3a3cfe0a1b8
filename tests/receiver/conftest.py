"""The emulators as a process, what a worker performs effects with, and a run that is ready for it."""

import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import gitlab
import httpx2
import msgspec
import pytest

from pipelines.catalogue.file import read
from pipelines.language import (
    MergeRequestResult,
    Phase,
    PipelineKind,
    ProjectPath,
    ReproductionResult,
    RunId,
    TestingResult,
)
from pipelines.language.catalogue import Catalogue
from pipelines.language.change_set import FileChange, write_change_set
from pipelines.language.wire import Ticket, sha256
from receiver.notes import StatusNotes
from receiver.outbound.effects.desk import Desk
from receiver.outbound.faults import NoFaults
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.gitlab.merging_api import MergeRequestMerging
from receiver.outbound.gitlab.pipelines_api import Pipelines
from receiver.outbound.gitlab.repositories_api import Repositories
from receiver.outbound.jira.jira_client import JiraClient
from receiver.store.jobs import blobs
from receiver.store.postgres.database import Database
from receiver.store.run import iterations, runs
from receiver.workflow.run import Attempt, Cause, RunStatus
from tests.changes import change_set
from tests.reports import a_report, stored

CATALOGUE = Path(__file__).parents[2] / "sandbox" / "scenarios" / "pl-479" / "bug-fix.yml"
RECEIVER = "http://127.0.0.1:9"
DANA = "5b10a2844c20165700ede21g"
"""Who reported PL-479."""
MORTAL = """
import ctypes, runpy
ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM: it ends with the tests, also when these are killed
runpy.run_module("sandbox", run_name="__main__")
"""


class World:
    """The emulators, and what tests look at in them as an administrator or a person would."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.gitlab_url: str = facts["gitlab"]["url"]
        self.jira_url: str = facts["jira"]["url"]
        self.catalogue = CATALOGUE
        """What workers read."""
        self.admin = gitlab.Gitlab(self.gitlab_url, private_token=facts["gitlab"]["admin_token"])
        self._own_comments = [one["id"] for one in self.comments()]

    @property
    def automation(self) -> Any:
        return self.admin.projects.get("payk12/bug-fix", lazy=True)

    @property
    def contacts(self) -> Any:
        return self.admin.projects.get("payk12/contacts", lazy=True)

    def pipelines(self) -> list[Any]:
        return list(self.automation.pipelines.list(source="api", get_all=True))

    def forget_pipelines(self) -> None:
        for pipeline in self.automation.pipelines.list(get_all=True):
            pipeline.cancel()
            pipeline.delete()

    def jira(self, method: str, path: str, body: object = None) -> Any:
        facts = self.facts["jira"]
        told = httpx2.request(
            method, f"{self.jira_url}{path}", json=body, auth=(facts["person"], facts["person_token"]), timeout=60
        ).raise_for_status()
        return told.json() if told.content else None

    def reset_ticket(self) -> None:
        """Label PL-479, let everybody see it, take away what was said on it, and move it back to where it began."""
        open_and_labelled = {"update": {"labels": [{"set": ["bug-fix"]}]}, "fields": {"security": None}}
        self.report(DANA)
        self.jira("PUT", "/rest/api/2/issue/PL-479", open_and_labelled)
        kept = {"kept": self._own_comments}
        httpx2.put(f"{self.jira_url}/_sandbox/comments/PL-479", json=kept, timeout=60).raise_for_status()
        while self.status() != "To Do":
            offered = self.jira("GET", "/rest/api/2/issue/PL-479/transitions")["transitions"]
            back = next((one for one in offered if one["to"]["name"] == "To Do"), offered[0])
            self.jira("POST", "/rest/api/2/issue/PL-479/transitions", {"transition": {"id": back["id"]}})

    def restrict(self) -> None:
        """Give PL-479 a security level, as a person does."""
        self.jira("PUT", "/rest/api/2/issue/PL-479", {"fields": {"security": {"id": "10200"}}})

    def report(self, account: str) -> None:
        """Let somebody else have reported PL-479."""
        self.jira("PUT", "/rest/api/2/issue/PL-479", {"fields": {"reporter": {"accountId": account}}})

    def status(self) -> str:
        name: str = self.jira("GET", "/rest/api/2/issue/PL-479?fields=status")["fields"]["status"]["name"]
        return name

    def comments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.jira("GET", "/rest/api/2/issue/PL-479/comment?maxResults=5000")["comments"]
        return found

    def as_person(self, who: str, method: str, path: str, body: object = None) -> Any:
        """Ask Jira as one of the scenario's people, or as our own bot."""
        facts = self.facts["jira"]
        person = self.facts["people"].get(who)
        login = (facts["user"], facts["token"]) if person is None else (person["jira_login"], person["jira_token"])
        url = f"{self.jira_url}/rest/api/2/issue/PL-479{path}"
        told = httpx2.request(method, url, json=body, auth=login, timeout=60).raise_for_status()
        return told.json() if told.content else None

    def say(self, who: str, body: str, **more: object) -> str:
        """Comment on PL-479 and return the comment's id."""
        return str(self.as_person(who, "POST", "/comment", {"body": body, **more})["id"])

    def settings(self, database_url: str) -> dict[str, str]:
        ours, jira = self.facts["gitlab"], self.facts["jira"]
        return {
            "DATABASE_URL": database_url,
            "GITLAB_URL": ours["url"],
            "GITLAB_TOKEN": ours["token"],
            "GITLAB_STARTER_TOKEN": ours["starter_token"],
            "GITLAB_WEBHOOK_SECRETS": ours["webhook_secret"],
            "JIRA_URL": jira["url"],
            "JIRA_USER": jira["user"],
            "JIRA_TOKEN": jira["token"],
            "JIRA_WEBHOOK_SECRETS": jira["webhook_secret"],
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
            "ANTHROPIC_API_KEY": "none",
            "BUG_FIX_CATALOGUE": str(self.catalogue),
            "PUBLIC_URL": RECEIVER,
            "READ_TOKENS": "a token to read with",
            "SWEEP_SECONDS": "1",
        }


@pytest.fixture(scope="session")
def served_world() -> Iterator[World]:
    with serving() as world:
        yield world


@contextmanager
def serving() -> Iterator[World]:
    """Run the emulators."""
    with tempfile.TemporaryDirectory(prefix="bug-fix-world-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        state = folder / "state"
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", MORTAL, "serve", "--state", str(state), "--receiver", RECEIVER],
                stdout=log,
                stderr=log,
            )
            told = state / "sandbox.json"
            deadline = time.monotonic() + 60
            while not told.exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, "the sandbox did not start"
                time.sleep(0.02)
            world = World(json.loads(told.read_text()))
            yield world
            world.admin.session.close()
            process.terminate()
            process.wait(60)


@pytest.fixture
def world(served_world: World) -> Iterator[World]:
    """Give the emulators without pipelines, with PL-479 labelled and without faults."""
    served_world.forget_pipelines()
    served_world.reset_ticket()
    yield served_world
    for url in (served_world.gitlab_url, served_world.jira_url):
        httpx2.delete(f"{url}/_sandbox/faults", timeout=60)


@pytest.fixture
def catalogue() -> Catalogue:
    return read(CATALOGUE.read_text(encoding="utf-8"), source=CATALOGUE.name)


@pytest.fixture
async def desk(database: Database, world: World, catalogue: Catalogue) -> AsyncIterator[Desk]:
    facts = world.facts
    writer = Connection(facts["gitlab"]["url"], facts["gitlab"]["token"])
    starter = Connection(facts["gitlab"]["url"], facts["gitlab"]["starter_token"])

    def clock() -> datetime:
        return datetime.now(UTC)

    made = Desk(
        database=database,
        starters={PipelineKind.FIX: Pipelines(starter)},
        reader=Pipelines(writer),
        repositories=Repositories(writer),
        commits=Commits(writer),
        merging=MergeRequestMerging(writer),
        jira=JiraClient(facts["jira"]["url"], user=facts["jira"]["user"], token=facts["jira"]["token"]),
        notes=StatusNotes(catalogue=lambda: catalogue, public_url=RECEIVER, clock=clock),
        catalogue=lambda: catalogue,
        public_url=RECEIVER,
        evidence_retention_days=90,
        faults=NoFaults(),
        clock=clock,
    )
    yield made
    made.jira.close()
    writer.close()
    starter.close()


@pytest.fixture
async def run(database: Database, world: World, catalogue: Catalogue) -> RunId:
    """Return a run that was admitted, on a branch of its own for each test."""
    project = world.contacts
    base = project.branches.get("main").commit["id"]
    run = RunId(secrets.token_hex(8))
    now = datetime.now(UTC) - timedelta(seconds=1)
    ticket = Ticket(
        key="PL-479", summary="Contact creation fails", description="", url=f"{world.jira_url}/browse/PL-479"
    )  # type: ignore[arg-type]  # a key is a string
    async with database.begin() as session:
        row = await runs.create(
            session, run, issue_key="PL-479", status=RunStatus.STARTING, actor=None, name="Mara", now=now
        )
        row.ticket = msgspec.to_builtins(ticket)
        row.catalogue = msgspec.to_builtins(catalogue)
        row.base_shas = {"payk12/contacts": base}
        row.repositories = ["payk12/contacts"]
        row.branch = f"bug-fix/PL-479-{run}"
        await iterations.begin(session, row, Attempt(number=1, cause=Cause.ADMITTED), now=now)
    return run


CONTACTS = ProjectPath("payk12/contacts")


async def _submit(
    database: Database, run: RunId, *files: FileChange, tested: bytes | None = None, passed: bool = True
) -> None:
    """Store what an accepted testing job and an accepted merge request job leave behind."""
    async with database.begin() as session:
        base = (await runs.facts(session, run)).base_shas[CONTACTS]
        data = write_change_set(change_set(*files, base=base))
        testing = TestingResult(
            base_sha=base,
            patch_sha256=sha256(data if tested is None else tested),
            test_sha256="0" * 64,
            reproduction_before_failed=True,
            reproduction_after_passed=passed,
            suite=None,
            new_failures=(),
        )
        reproduction = ReproductionResult(
            base_sha=base, reproduced=True, test_path="t.py", test_sha256="0" * 64, failure="", symptom="", steps=()
        )
        submission = MergeRequestResult(base_sha=base, patch_sha256=sha256(data))
        now = datetime.now(UTC)
        await blobs.keep(session, data, run=run, now=now, retention_days=30)
        results = ((Phase.REPRODUCTION, reproduction), (Phase.TESTING, testing), (Phase.MERGE_REQUEST, submission))
        for job, (phase, result) in enumerate(results, start=6):
            session.add(stored(a_report(run, phase, result), job=job, at=now))


@pytest.fixture
def submit(database: Database) -> Callable[..., Awaitable[None]]:
    """Let jobs of a run have tested and submitted a change of files."""
    return partial(_submit, database)
