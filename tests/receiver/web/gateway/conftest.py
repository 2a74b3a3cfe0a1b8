"""The gateway between the real SDK and the Messages API: emulated with its own books, or a recorder that misbehaves."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import msgspec
import pytest

from pipelines.language import Phase
from sandbox.anthropic.app import create
from sandbox.anthropic.clock import Pace
from sandbox.http.asgi_server import bind, in_thread
from sandbox.scenario_format import Conversation, Scenario

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

TURNS = """
[{"phase": "analysis", "turns": [
   {"text": "I look at the form first.", "thinking": "An apostrophe ends the SQL string.",
    "tool_use": [{"name": "add", "input": {"a": 2, "b": 3}}]},
   {"text": "The sum is 5, naïvely."}]},
 {"phase": "implementation", "repository": "payk12/contacts", "turns": [{"text": "Fixed."}]}]
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the state did not come"
        threading.Event().wait(0.01)


@dataclass
class Vendor:
    """The emulated Messages API, seen from outside."""

    url: str
    now: datetime = NOW

    def post(self, path: str, **body: Any) -> None:
        httpx2.post(f"{self.url}/_sandbox/{path}", json=body, timeout=60).raise_for_status()

    def state(self) -> Any:
        return httpx2.get(f"{self.url}/_sandbox/state", timeout=60).json()

    def books(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = httpx2.get(f"{self.url}/_sandbox/books", timeout=60).json()["rows"]
        return rows

    def cost(self) -> Decimal:
        return sum((Decimal(row["cost_usd"]) for row in self.books()), Decimal(0))

    def wait_held(self, count: int) -> None:
        wait_until(lambda: self.state()["concurrent"]["held"] == count)


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Vendor]:
    jira: Any = {"project_name": "Platform"}
    scenario = msgspec.convert(
        {
            "folder": tmp_path,
            "name": "sums",
            "title": "Sums",
            "issue_key": "PL-479",
            "users": {},
            "repositories": {},
            "overlays": {},
            "expected": {"outcome": "merge_request"},
            "jira": jira,
            "ticket": {"summary": "s", "description": "", "reporter": "mara", "created": "2026-11-01T00:00:00Z"},
            "catalogue": "",
            "conversations": msgspec.json.decode(TURNS, type=tuple[Conversation, ...]),
        },
        Scenario,
    )
    numbers = itertools.count(1)
    app = create(
        scenario,
        api_keys=["sk-ant-of-the-tests"],
        now=lambda: NOW,
        new_id=lambda prefix: f"{prefix}_{next(numbers):06}",
        pace=Pace.SIMULATED,
    )
    listener, url = bind()
    with in_thread(app, listener):
        yield Vendor(url)


Script = list[bytes | threading.Event | None]


@dataclass
class Upstream:
    """A server that answers as a test says: chunks, events to wait for, and None to break the connection."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    script: Script = field(default_factory=list)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    sent: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        address = scope["path"] + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        self.got.append((address, {k.decode(): v.decode() for k, v in scope["headers"]}, body))
        headers = [(k.encode(), v.encode()) for k, v in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for step in self.script:
            match step:
                case threading.Event():
                    await asyncio.to_thread(step.wait, 15)
                case None:
                    raise ConnectionAbortedError  # uvicorn closes the connection in the middle of the answer
                case _:
                    await send({"type": "http.response.body", "body": step, "more_body": True})
                    self.sent += len(step)
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    listener, server.url = bind()
    with in_thread(server, listener):
        yield server


@dataclass
class Door:
    """The gateway as a job sees it, and the ledger behind it."""

    url: str
    desk: Any

    def sdk(self, token: str, **more: Any) -> anthropic.Anthropic:
        """Make the stock client, with nothing but a base URL and a session's token."""
        return anthropic.Anthropic(base_url=f"{self.url}/gateway", auth_token=token, **{"max_retries": 0} | more)

    def http(self, token: str | None, **more: Any) -> httpx2.Client:
        headers = {"anthropic-version": "2023-06-01"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return httpx2.Client(base_url=f"{self.url}/gateway", headers=headers, timeout=60, **more)

    def session(self, phase: Phase = Phase.ANALYSIS, **more: Any) -> str:
        token: str = self.desk.session(phase, **more)
        return token

    def ledger(self) -> list[dict[str, Any]]:
        names = (
            "call_id, phase, repository, agent, purpose, model, state, reserved_usd, cost_usd, uncached_tokens, "
            "cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, usage, request_id, "
            "message_id, stop_reason, http_status, error, streamed, owner, prompt_version, prefix_sha256, is_first, "
            "prefix_tokens"
        )
        found = self.desk.rows(f"SELECT {names} FROM usage ORDER BY reserved_at, call_id")  # noqa: S608 - constant
        return [dict(zip(names.split(", "), row, strict=True)) for row in found]

    def states(self) -> list[str]:
        return sorted(row["state"] for row in self.ledger())

    def settled(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many calls have ended, one way or other, and none is open."""
        wait_until(lambda: len(self.ledger()) == count and "reserved" not in self.states())
        return self.ledger()

    def cost(self) -> Decimal:
        return sum((row["cost_usd"] for row in self.ledger() if row["cost_usd"] is not None), Decimal(0))


@pytest.fixture
def door(vendor: Vendor, serve: Any, desk: Any) -> Door:
    """Put the gateway in front of the emulated vendor, with a run at work."""
    desk.run()
    return Door(serve(anthropic_base_url=vendor.url, anthropic_api_key="sk-ant-of-the-tests"), desk)


@pytest.fixture
def rough(upstream: Upstream, serve: Any, desk: Any) -> Door:
    """Put the gateway in front of a vendor that does as the test says."""
    desk.run()
    return Door(serve(anthropic_base_url=upstream.url, anthropic_api_key="sk-ant-of-the-tests"), desk)


ADD = {
    "name": "add",
    "description": "Add two numbers.",
    "strict": True,
    "input_schema": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
}


@pytest.fixture
def request_body() -> Callable[..., dict[str, Any]]:
    """Make the body of a valid request."""

    def make(phase: str = "analysis", **changes: Any) -> dict[str, Any]:
        lines = f"Phase: {phase}\nIssue: PL-479\nIteration: 1\nRepository: payk12/contacts\n\nGo on."
        body = {
            "model": "claude-sonnet-5-5",
            "max_tokens": 1000,
            "tools": [ADD],
            "system": "You add.",
            "messages": [{"role": "user", "content": lines}],
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    return make
