"""A scenario of a few turns, and the emulator that plays it over a real socket, on a clock that the tests set."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import jsonschema
import msgspec
import pytest

from sandbox.anthropic.app import create
from sandbox.anthropic.clock import Pace
from sandbox.anthropic.connection import Watched
from sandbox.http import asgi_server
from sandbox.scenario_format import Conversation, Scenario

TURNS = """
[{"phase": "analysis", "turns": [
   {"text": "I look at the form first.", "thinking": "An apostrophe ends the SQL string.",
    "tool_use": [{"name": "add", "input": {"a": 2, "b": 3}}], "delay_s": 30},
   {"text": "The sum is 5, naïvely."}]},
 {"phase": "implementation", "repository": "payk12/contacts", "turns": [
   {"tool_use": [{"name": "add", "input": {"a": 1, "b": 1}}, {"name": "add", "input": {"a": 2, "b": 2}}]},
   {"text": "Fixed."}]},
 {"phase": "implementation", "iteration": 2, "repository": "payk12/contacts", "turns": [{"text": "Fixed again."}]},
 {"phase": "testing", "turns": [{"text": "x"}]}]
"""

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
def scenario(tmp_path: Path) -> Scenario:
    jira: Any = {"project_name": "Platform"}
    return msgspec.convert(
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


@pytest.fixture
def app(scenario: Scenario) -> Watched:
    numbers = itertools.count(1)
    return create(
        scenario,
        api_keys=["sk-one", "sk-two"],
        now=lambda: datetime(2026, 11, 22, 12, tzinfo=UTC),
        new_id=lambda prefix: f"{prefix}_{next(numbers):06}",
        pace=Pace.SIMULATED,
    )


@pytest.fixture
def url(app: Watched) -> Iterator[str]:
    listener, address = asgi_server.bind()
    with asgi_server.in_thread(app, listener):
        yield address


@pytest.fixture
def http(url: str) -> Iterator[httpx2.Client]:
    """Plain HTTP with the headers that the API wants."""
    headers = {"x-api-key": "sk-one", "anthropic-version": "2023-06-01"}
    with httpx2.Client(base_url=url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def sdk(url: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=url, api_key="sk-one", max_retries=0) as client:
        yield client


@pytest.fixture
def request_body() -> Callable[..., dict[str, Any]]:
    """Make the body of a valid request."""

    def make(phase: str = "analysis", iteration: int = 1, **changes: Any) -> dict[str, Any]:
        lines = f"Phase: {phase}\nIssue: PL-479\nIteration: {iteration}\nRepository: payk12/contacts\n\nGo on."
        body = {
            "model": "claude-sonnet-5-5",
            "max_tokens": 1000,
            "tools": [ADD],
            "system": "You add.",
            "messages": [{"role": "user", "content": lines}],
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    return make


@pytest.fixture
def books(http: httpx2.Client) -> Callable[[], dict[str, Any]]:
    """Read the emulator's books."""

    def read() -> dict[str, Any]:
        report: dict[str, Any] = http.get("/_sandbox/books").json()
        return report

    return read


@pytest.fixture(scope="session")
def contract() -> Callable[[str], Any]:
    """Read a file of the vendor's contract data; skips where it is absent."""
    folder = Path(__file__).parents[3].parent / "shared" / "contracts" / "anthropic"

    def read(name: str) -> Any:
        if not (folder / name).is_file():
            pytest.skip(f"no {name} in ../shared/contracts/anthropic")
        return json.loads((folder / name).read_text())

    return read


@pytest.fixture(scope="session")
def conforms(contract: Callable[[str], Any]) -> Callable[[str, Any], None]:
    """Check a value against one of the vendor's JSON Schemas."""
    validators: dict[str, jsonschema.Draft202012Validator] = {}

    def check(name: str, value: Any) -> None:
        if name not in validators:
            validators[name] = jsonschema.Draft202012Validator(contract(name))
        validators[name].validate(value)

    return check
