"""The hook endpoints: what is answered when, and what is stored."""

import asyncio
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace

from pipelines.language.catalogue import Catalogue
from receiver import limits
from receiver.app import create_app
from receiver.settings import SettingsError
from receiver.web.hook_api import Intake

pytestmark = pytest.mark.integration

PIPELINE = json.dumps(
    {
        "object_kind": "pipeline",
        "object_attributes": {"id": 31, "status": "running", "source": "api", "ref": "main", "sha": "a" * 40},
        "project": {"id": 2, "path_with_namespace": "payk12/bug-fix"},
    }
).encode()
LABELLED = json.dumps(
    {
        "webhookEvent": "jira:issue_updated",
        "timestamp": 1,
        "user": {"accountId": "5b10ac", "displayName": "Mara"},
        "issue": {"key": "TES-41", "fields": {"labels": ["sad"]}},
        "changelog": {"items": [{"field": "labels", "fromString": "", "toString": "sad"}]},
    }
).encode()


def test_a_valid_hook_is_stored_enqueued_and_answered_202(vendors: Any) -> None:
    for answer in (vendors.gitlab(PIPELINE), vendors.jira(LABELLED)):
        assert (answer.status_code, answer.json()["verdict"]) == (202, "pending")
    stored = vendors.rows("SELECT source, kind, ordering_key, body, verdict FROM deliveries ORDER BY id")
    assert stored == [
        ("gitlab", "pipeline", "pipeline:2:31", PIPELINE, None),
        ("jira", "jira:issue_updated", "ticket:TES-41", LABELLED, None),
    ]
    assert vendors.rows("SELECT count(*) FROM procrastinate_jobs") == [(2,)]


def test_no_secret_and_no_signature_is_stored(vendors: Any) -> None:
    vendors.gitlab(PIPELINE, Authorization="Bearer x")
    (headers,) = vendors.rows("SELECT headers FROM deliveries")[0]
    assert not {"webhook-signature", "authorization", "x-gitlab-token", "x-hub-signature"} & set(headers)


def test_the_same_delivery_five_times_at_once_is_stored_once(vendors: Any) -> None:
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: vendors.gitlab(PIPELINE, key="same"), range(5)))
    assert {a.status_code for a in answers} == {202}
    assert len({a.json()["delivery"] for a in answers}) == 1
    assert sorted(a.json()["verdict"] for a in answers) == ["duplicate"] * 4 + ["pending"]
    assert vendors.rows("SELECT times_received FROM deliveries") == [(5,)]


def test_a_recorded_hook_of_jira_can_not_be_replayed_as_a_new_one(vendors: Any) -> None:
    answers = [vendors.jira(LABELLED, key=f"made-up-{n}").json() for n in range(5)]
    assert [answer["verdict"] for answer in answers] == ["pending"] + ["duplicate"] * 4
    assert vendors.rows("SELECT headers->>'x-atlassian-webhook-identifier' FROM deliveries") == [("made-up-0",)]
    set_again = LABELLED.replace(b'"timestamp": 1', b'"timestamp": 2')
    assert vendors.jira(set_again).json()["verdict"] == "pending"


def test_what_means_nothing_is_stored_too(vendors: Any) -> None:
    assert vendors.gitlab(b'{"object_kind": "tag_push"}').status_code == 202
    assert vendors.gitlab(b'{"object_kind": "pipeline", "object_attributes": {"id": "x"}}').status_code == 202
    assert vendors.jira(b'{"webhookEvent": "sprint_created"}').status_code == 202
    assert vendors.rows("SELECT count(*) FROM deliveries") == [(3,)]


@pytest.mark.parametrize("path", ["/hooks/gitlab", "/hooks/jira"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Gitlab-Token": "x"},
        {"X-Hub-Signature": "sha256=00"},
        {"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"},
    ],
)
def test_without_proof_it_is_401_before_the_body_is_looked_at(vendors: Any, path: str, headers: dict[str, str]) -> None:
    for body in (PIPELINE, b"not json at all", b""):
        answer = vendors.client.post(path, content=body, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
    assert vendors.rows("SELECT count(*) FROM deliveries") == [(0,)]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"<xml/>", "not JSON"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"x":' * 50_000, "nested too deeply"),
    ],
)
def test_a_signed_body_that_is_no_object_is_400_and_says_what_is_wrong(vendors: Any, body: bytes, says: str) -> None:
    answer = vendors.gitlab(body)
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert says in answer.json()["detail"]
    assert vendors.rows("SELECT count(*) FROM deliveries") == [(0,)]


LIMIT = 25 * 1024 * 1024


def _chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 2**20):
        yield b"x" * 2**20
    yield b"x" * (size % 2**20)


def test_more_than_25_megabytes_are_413_also_when_the_length_is_not_announced(vendors: Any) -> None:
    announced = vendors.jira(b"x" * (LIMIT + 1))
    signed = {"X-Hub-Signature": "sha256=00"}
    chunked = vendors.client.post("/hooks/jira", content=_chunks(LIMIT + 1), headers=signed)
    for answer in (announced, chunked):
        assert answer.status_code == 413
        assert answer.json()["detail"] == "The body is larger than this address takes."
    assert vendors.client.post("/hooks/jira", content=_chunks(LIMIT), headers=signed).status_code == 401


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/hooks/gitlab", {}),
        ("/hooks/gitlab", {"X-Gitlab-Token": "x"}),
        ("/hooks/gitlab", {"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}),
        ("/hooks/jira", {}),
        ("/hooks/jira", {"X-Hook-Key": "x"}),
    ],
)
def test_what_headers_refuse_is_refused_before_the_body_comes(serve: Any, path: str, headers: dict[str, str]) -> None:
    url = urlsplit(serve())
    assert url.hostname
    head = [f"POST {path} HTTP/1.1", "Host: receiver", f"Content-Length: {LIMIT}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection((url.hostname, url.port or 80), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 401")


def test_large_bodies_wait_for_their_turn_and_small_ones_do_not(vendors: Any) -> None:
    intake: Intake = vendors.client.app.state.intake
    for _ in range(limits.LARGE_HOOKS_AT_ONCE):
        vendors.client.blocking_portal.call(intake.turns.acquire)
    with ThreadPoolExecutor(1) as pool:
        large = pool.submit(vendors.jira, LABELLED + b" " * limits.LARGE_HOOK)
        assert vendors.jira(b'{"webhookEvent": "sprint_created"}').status_code == 202
        assert not large.done()
        vendors.client.blocking_portal.call(intake.turns.release)
        assert large.result().status_code == 202


@pytest.mark.parametrize("length", [b"100", b"%d" % (limits.LARGE_HOOK + 1)])
def test_a_body_that_does_not_come_is_408(vendors: Any, length: bytes) -> None:
    app = vendors.client.app
    app.state.intake = replace(app.state.intake, body_s=0.02)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", length), (b"x-hub-signature", b"sha256=00")]
    scope = {"type": "http", "method": "POST", "path": "/hooks/jira", "raw_path": b"/hooks/jira", "headers": headers}
    vendors.client.blocking_portal.call(app, scope | {"query_string": b"", "root_path": ""}, receive, send)
    assert sent[0]["status"] == 408


def test_other_methods_and_addresses_are_refused_as_problems(vendors: Any) -> None:
    for status, answer in ((405, vendors.client.get("/hooks/jira")), (404, vendors.client.get("/nowhere"))):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_health_and_readiness(vendors: Any) -> None:
    assert vendors.client.get("/health").json() == {"status": "live"}
    assert vendors.client.get("/ready").json() == {"status": "ready"}


def test_without_a_database_it_is_503_with_a_time_to_come_back(
    settings_of: Any, catalogue: Catalogue, vendors: Any
) -> None:
    nowhere = settings_of("postgresql://127.0.0.1:1/nothing?connect_timeout=1")
    with TestClient(create_app(nowhere, catalogue=catalogue), raise_server_exceptions=False) as client:
        vendors.client = client
        for answer in (vendors.gitlab(PIPELINE), vendors.jira(LABELLED), client.get("/ready")):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "127.0.0.1" not in answer.text
        assert client.get("/health").status_code == 200
        assert vendors.gitlab(b"[]").status_code == 400


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"gitlab_signing_tokens": ""}, "Set GITLAB_SIGNING_TOKENS"),
        ({"gitlab_signing_tokens": "whsec_###"}, "GITLAB_SIGNING_TOKENS: A signing token is not"),
        (
            {"gitlab_signing_tokens": "payk13:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
            "is for payk13, which is neither a project",
        ),
        ({"jira_webhook_secrets": " , "}, "Set JIRA_WEBHOOK_SECRETS"),
        ({"jira_webhook_header": "X-Key"}, "JIRA_WEBHOOK_HEADER needs a colon"),
        ({"jira_webhook_header": "X-Key:"}, "JIRA_WEBHOOK_HEADER needs a value"),
    ],
)
def test_without_a_usable_secret_it_refuses_to_start(
    settings_of: Any, catalogue: Catalogue, changes: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        create_app(settings_of("postgresql://127.0.0.1:1/x", **changes), catalogue=catalogue)


def test_a_static_header_is_enough_for_jira(postgres: str, settings_of: Any, catalogue: Catalogue) -> None:
    settings = settings_of(postgres, jira_webhook_secrets="", jira_webhook_header="X-Hook-Key: s3cret: 1")
    with TestClient(create_app(settings, catalogue=catalogue), raise_server_exceptions=False) as client:
        good = client.post("/hooks/jira", content=LABELLED, headers={"X-Hook-Key": "s3cret: 1"})
        bad = client.post("/hooks/jira", content=LABELLED, headers={"X-Hook-Key": "s3cret"})
    assert (good.status_code, bad.status_code) == (202, 401)
