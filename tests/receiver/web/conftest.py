"""The real application on a real database, and vendors that sign as they do."""

import base64
import hashlib
import hmac
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import make_url

from pipelines.catalogue import Agent, Catalogue, Jira, Policy, Start
from receiver.app import create_app
from receiver.settings import Settings

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
