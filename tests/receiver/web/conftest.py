"""The real application on a real database, and vendors that sign as they do."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import make_url

from pipelines.language import IssueKey, Phase, ProjectPath, RunId
from pipelines.language.catalogue import Agent, Budget, Catalogue, Jira, Policy, Repository, Stack, Start
from pipelines.language.pipeline_key import fix
from pipelines.language.wire import Ticket
from receiver.app import create_app
from receiver.settings import Settings
from receiver.store.jobs import sessions
from receiver.store.postgres.database import Database
from receiver.store.schema import IterationRow, PipelineRow, RunRow
from sandbox.http.asgi_server import bind, in_thread

KEY = "whsec_" + base64.b64encode(b"a key for the tests of the hooks").decode()


class Vendors:
    """GitLab and Jira as their hooks come in."""

    def __init__(self, client: TestClient[Litestar], url: str) -> None:
        self.client = client
        self.database = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
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

    def rows(self, query: str) -> list[Any]:
        """Return what is in the database."""
        with psycopg.connect(self.database) as connection:
            return connection.execute(query.encode()).fetchall()


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
def vendors(postgres: str, settings_of: Any, catalogue: Catalogue) -> Iterator[Vendors]:
    """Talk to the application on a clean database."""
    with TestClient(create_app(settings_of(postgres), catalogue=catalogue), raise_server_exceptions=False) as client:
        yield Vendors(client, postgres)


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


@dataclass
class Desk:
    """The database, as a test fills it and looks into it."""

    address: str
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1000))

    @property
    def plain(self) -> str:
        return make_url(self.address).set(drivername="postgresql").render_as_string(hide_password=False)

    def rows(self, query: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.plain, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

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
        async def write() -> None:
            async with Database(self.address) as database, database.begin() as session:
                session.add_all(rows)

        asyncio.run(write())

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

        async def write() -> None:
            async with Database(self.address) as database, database.begin() as session:
                assert await sessions.open_once(session, new) is not None

        asyncio.run(write())
        return token

    def refusals(self) -> list[str]:
        """Return what the run's story says that jobs were refused."""
        return [row[0] for row in self.rows("SELECT reason FROM decisions WHERE verdict = 'refused' ORDER BY id")]


@pytest.fixture
def desk(postgres: str) -> Desk:
    return Desk(postgres)


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
