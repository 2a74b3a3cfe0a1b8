"""Who may read, and that nobody else learns anything."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from litestar.routes import HTTPRoute

from receiver.app import create_app
from receiver.web.access import COOKIE, cookie_of, may_read

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""The served application's clock."""

pytestmark = pytest.mark.integration

OPEN = {"/health", "/ready", "/enter"}
"""Say nothing about runs: whether the process lives, and the door for browsers."""


@pytest.fixture
def reader(serve: Any, desk: Any) -> Iterator[httpx2.Client]:
    desk.run()
    with httpx2.Client(base_url=serve(read_tokens="read-one, read-two"), timeout=30) as client:
        yield client


ADDRESSES = ["/", "/runs/PL-479", "/runs/nothing", "/api/runs", "/api/runs/PL-479", "/api/deliveries/verdicts"]


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer "},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer read-one, read-two"},
        {"authorization": "Basic read-one"},
        {"cookie": f"{COOKIE}=wrong"},
        {"cookie": "other=read-one"},
        {"cookie": f"{COOKIE}=read-one"},
        {"cookie": f"{COOKIE}={cookie_of('read-one', expires=int(NOW.timestamp()))}"},
        {"cookie": f"{COOKIE}={cookie_of('taken away', expires=int(NOW.timestamp()) + 60)}"},
    ],
)
def test_without_a_read_token_nothing_is_shown(path: str, headers: dict[str, str], reader: httpx2.Client) -> None:
    headers = {name: value.rstrip() for name, value in headers.items()}
    answer = reader.get(path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert "PL-479" not in answer.text
    assert reader.get(f"{path}?token=read-one").status_code == 401


@pytest.mark.parametrize("path", ["/", "/runs/PL-479", "/api/runs", "/api/runs/pl-479", "/api/deliveries/verdicts"])
def test_each_read_token_reads_by_header_and_by_cookie(path: str, reader: httpx2.Client) -> None:
    for token in ("read-one", "read-two"):
        assert reader.get(path, headers={"authorization": f"Bearer {token}"}).status_code == 200
        value = cookie_of(token, expires=int(NOW.timestamp()) + 60)
        assert reader.get(path, headers={"cookie": f"{COOKIE}={value}"}).status_code == 200


def test_every_other_address_that_reads_is_guarded(settings_of: Any, catalogue: Any, postgres: str) -> None:
    app = create_app(settings_of(postgres), catalogue=catalogue)
    found = {
        handler
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if "GET" in handler.http_methods and not route.path.startswith("/api/jobs/")
    }
    assert len(found) >= len(ADDRESSES)
    for handler in found:
        guarded = bool(handler.guards)
        assert guarded is not any(path in OPEN for path in handler.paths), handler


def test_a_browser_signs_in_once_and_the_token_leaves_the_address(reader: httpx2.Client) -> None:
    assert reader.get("/enter?token=wrong").status_code == 401
    assert reader.get("/enter").status_code == 401
    answer = reader.get("/enter?token=read-two")
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in (f"{COOKIE}=", "HttpOnly", "SameSite=lax", "Path=/"))
    assert "read-two" not in cookie
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert reader.get("/").status_code == 200


def test_a_browser_that_is_not_signed_in_is_told_what_to_do(reader: httpx2.Client) -> None:
    answer = reader.get("/runs/PL-479", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "/enter?token=" in answer.text
    assert "PL-479" not in answer.text


def test_the_cookie_stays_on_https_where_there_is_https(serve: Any) -> None:
    url = serve(read_tokens="r", public_url="https://bug-fix.example")
    assert "Secure" in httpx2.get(f"{url}/enter?token=r", timeout=60).headers["set-cookie"]


def test_a_job_s_session_reads_nothing_and_a_read_token_is_no_session(reader: httpx2.Client, desk: Any) -> None:
    session = {"authorization": f"Bearer {desk.session('analysis')}"}
    assert reader.get("/api/runs", headers=session).status_code == 401
    readers = {"authorization": "Bearer read-one"}
    assert reader.get("/api/jobs/spec", headers=readers).status_code == 401
    assert reader.post("/gateway/v1/messages", json={}, headers=readers).status_code == 401


@pytest.mark.parametrize("name", ["nothing", "%00", "PL-479%00", "..%2f..%2fetc", "%F0%9F%92%A9"])
def test_a_run_that_there_is_not_is_not_found_and_breaks_nothing(name: str, reader: httpx2.Client) -> None:
    headers = {"authorization": "Bearer read-one"}
    for path in (f"/runs/{name}", f"/api/runs/{name}"):
        assert reader.get(path, headers=headers).status_code == 404
    assert reader.get(f"/api/runs?issue_key={name}", headers=headers).json() == []


def test_no_tokens_let_nobody_in() -> None:
    assert not may_read("", ())
    assert not may_read("", ("",))
    assert not may_read("x", ())
    assert may_read("ключ", ("a", "ключ"))
