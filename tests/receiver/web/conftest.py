"""The real application on a real database, and vendors that sign as they do."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import IssueKey, Phase, ProjectPath, RunId
from pipelines.language.catalogue import Agent, Catalogue, Jira, Start
from pipelines.language.pipeline_key import fix
from pipelines.language.policy import Budget, Policy
from pipelines.language.repository import Repository, Stack
from pipelines.language.wire import Ticket
from receiver.app import create_app
from receiver.settings import Settings
from receiver.store.jobs import sessions
from receiver.store.postgres.database import Database
from receiver.store.schema import IterationRow, PipelineRow, RunRow
from sandbox.http.asgi_server import bind, in_thread
from tests.conftest import Standing

KEY = "whsec_" + base64.b64encode(b"a key for the tests of the hooks").decode()


class Vendors:
    """GitLab and Jira as their hooks come in."""

    def __init__(self, client: TestClient[Litestar], connection: Standing) -> None:
        self.client = client
        self.rows = connection.rows
        self._keys = itertools.count(1)

    def gitlab(self, body: bytes, *, key: str | None = None, **headers: str) -> httpx.Response:
        """Send a hook, signed as GitLab 19 does."""
        message_id = key or f"key-{next(self._keys)}"
        sent = str(int(datetime.now(UTC).timestamp()))
        digest = hmac.new(base64.b64decode(KEY[6:]), f"{message_id}.{sent}.".encode() + body, hashlib.sha256).digest()
        signed = {
            "webhook-id": message_id,
            "webhook-timestamp": sent,
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
            "Idempotency-Key": message_id,
        }
        return self.client.post("/hooks/gitlab", content=body, headers=signed | headers)

    def jira(self, body: bytes, *, key: str | None = None, **headers: str) -> httpx.Response:
        """Send a hook, signed as Jira does."""
        signature = "sha256=" + hmac.new(b"jira secret", body, hashlib.sha256).hexdigest()
        signed = {"X-Hub-Signature": signature}
        signed["X-Atlassian-Webhook-Identifier"] = key or f"id-{next(self._keys)}"
        return self.client.post("/hooks/jira", content=body, headers=signed | headers)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue(
        automation_project="payk12/bug-fix",
        automation_ref="main",
        jira=Jira(project="TES", start=Start(label="sad")),
        policy=Policy(),
        agents={"default": Agent(name="default", model="m")},
        repositories={},
    )


@pytest.fixture
def settings_of() -> Any:
    """Build settings for a database address."""

    def of(url: str, **changes: str) -> Settings:
        values: dict[str, Any] = {
            "database_url": url,
            "gitlab_url": "http://127.0.0.1:1",
            "gitlab_token": "t",
            "gitlab_starter_token": "s",
            "gitlab_signing_tokens": KEY,
            "jira_url": "http://127.0.0.1:1",
            "jira_token": "j",
            "jira_webhook_secrets": "jira secret",
            "anthropic_api_key": "a",
            "public_url": "http://receiver.example",
            "read_tokens": "r",
        }
        return Settings(**values | changes)

    return of


@pytest.fixture
def vendors(postgres: str, standing_connection: Standing, settings_of: Any, catalogue: Catalogue) -> Iterator[Vendors]:
    """Talk to the application on a clean database."""
    with TestClient(create_app(settings_of(postgres), catalogue=catalogue), raise_server_exceptions=False) as client:
        yield Vendors(client, standing_connection)


RUN = RunId("00000000000000aa")
REPOSITORY = ProjectPath("payk12/contacts")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TICKET = Ticket(key=IssueKey("PL-479"), summary="Apostrophes", description="O'Brien can't be saved.")


def frozen_catalogue(**budget: str) -> Catalogue:
    """Return the catalogue that the stored run was started with."""
    stack = Stack(preset="python", image="python:3.11")
    amounts = {name: Decimal(value) for name, value in budget.items()}
    names = ("default", "python-pro")
    return Catalogue(
        automation_project=ProjectPath("payk12/bug-fix"),
        automation_ref="main",
        jira=Jira(project="PL", start=Start(label="bug-fix")),
        policy=Policy(budget_usd=Budget(**amounts)),
        agents={name: Agent(name=name, model="claude-sonnet-5-5") for name in names},
        repositories={REPOSITORY: Repository(key="contacts", project=REPOSITORY, agent="python-pro", stack=stack)},
        sha256="0" * 64,
    )


class Writer:
    """The store as the product writes to it, on a loop of its own, opened once for all tests."""

    def __init__(self, address: str) -> None:
        self._database = Database(address, pool_size=1)
        self._runner = asyncio.Runner()
        self._turn = threading.Lock()

    def write(self, work: Callable[[AsyncSession], Awaitable[None]]) -> None:
        """Do this in a transaction."""

        async def transaction() -> None:
            async with self._database.begin() as session:
                await work(session)

        with self._turn:
            self._runner.run(transaction())

    def close(self) -> None:
        """Close what is open."""
        self._runner.run(self._database.close())
        self._runner.close()


@pytest.fixture(scope="session")
def writer(worker_database: str) -> Iterator[Writer]:
    with closing(Writer(worker_database)) as opened:
        yield opened


@dataclass
class Desk:
    """The database, as a test fills it and looks into it."""

    address: str
    connection: Standing
    writer: Writer
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1000))

    def rows(self, query: str, *values: Any) -> list[Any]:
        return self.connection.rows(query, *values)

    def one(self, query: str, *values: Any) -> Any:
        ((value,),) = self.rows(query, *values)
        return value

    def run(
        self, *, status: str = "running", iteration: int = 1, pipeline: int = 100, project: int = 1, **budget: str
    ) -> RunId:
        """Store a run at work whose parent pipeline is `pipeline`."""
        run = RunRow(
            id=RUN,
            issue_key="PL-479",
            status=status,
            status_at=NOW,
            iteration=iteration,
            branch="bug-fix/PL-479-apostrophes",
            actor_name="Mara",
            ticket=msgspec.to_builtins(TICKET),
            catalogue=msgspec.to_builtins(frozen_catalogue(**budget)),
            base_shas={REPOSITORY: "a" * 40},
            repositories=[REPOSITORY],
            reason="",
            labelled_at=NOW,
            created_at=NOW,
        )
        parent = PipelineRow(
            id=pipeline,
            project_id=project,
            run_id=RUN,
            iteration=iteration,
            status="running",
            url="http://gitlab.example/p",
            seen_at=NOW,
        )
        self.add(run)
        self.add(IterationRow(run_id=RUN, number=iteration, started_at=NOW), parent)
        return RUN

    def add(self, *rows: Any) -> None:
        async def write(session: AsyncSession) -> None:
            session.add_all(rows)

        self.writer.write(write)

    def session(
        self, phase: Phase, *, job: int | None = None, iteration: int = 1, hours: int = 1, client: str = ""
    ) -> str:
        """Open a session as the doorkeeper would, and return its token."""
        token = secrets.token_urlsafe(32)
        new = sessions.NewSession(
            token=token,
            jti=secrets.token_hex(8),
            run=RUN,
            pipeline=fix(iteration),
            phase=phase,
            repository=None if phase in {Phase.ANALYSIS, Phase.GENERATE} else REPOSITORY,
            project_id=1,
            pipeline_id=100,
            job_id=next(self.numbers) if job is None else job,
            client=client,
            created_at=NOW,
            expires_at=NOW + timedelta(hours=hours),
        )

        async def write(session: AsyncSession) -> None:
            assert await sessions.open_once(session, new) is not None

        self.writer.write(write)
        return token

    def refusals(self) -> list[str]:
        """Return what the run's story says that jobs were refused."""
        return [row[0] for row in self.rows("SELECT reason FROM decisions WHERE verdict = 'refused' ORDER BY id")]


@pytest.fixture
def desk(postgres: str, standing_connection: Standing, writer: Writer) -> Desk:
    return Desk(postgres, standing_connection, writer)


@pytest.fixture
def serve(desk: Desk, settings_of: Any) -> Iterator[Callable[..., str]]:
    """Serve the receiver on a real socket and give its address.

    Settings may be changed, and its clock; `around` puts something between the socket and the application.
    """
    with ExitStack() as stack:

        def start(
            clock: Callable[[], datetime] = lambda: NOW, around: Callable[[Any], Any] = lambda app: app, **changes: str
        ) -> str:
            listener, url = bind()
            settings = settings_of(desk.address, **{"public_url": url} | changes)
            app = create_app(settings, catalogue=frozen_catalogue(), clock=clock)
            stack.enter_context(in_thread(around(app), listener))
            return url

        yield start
