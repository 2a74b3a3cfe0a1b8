"""Signed hooks for the bench: those of a run's beginning, with other ids, signed before the clock starts.

So they have the sizes and shapes that the emulators give them. Sends nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
from msgspec import Struct

from sandbox.demo.play import label_ticket
from sandbox.demo.processes import DemoError
from sandbox.demo.world import World
from tests.bench.load import Shot
from tests.bench.worlds import ask, hold_jobs, settle, vendors, wait

VARIANTS = 512
"""Bodies of each template; more than there are connections, so that no two requests under way share an ordering key."""
FIRST_ID = 900_000_000
"""Pipelines, jobs and tickets from here on exist nowhere."""


class Template(Struct, frozen=True, kw_only=True):
    """A hook as it was stored."""

    source: str
    kind: str
    headers: dict[str, str]
    """As the inbox keeps them: lowercase, without secrets and signatures."""
    body: bytes


class Secrets(Struct, frozen=True, kw_only=True):
    """What hooks are signed with."""

    gitlab_signing_token: str
    jira_secret: str


def begin_a_run(world: World, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Label the ticket while jobs are held, and wait until its run waits for its pipeline."""
    hold_jobs(world)
    label_ticket(world)
    wait(
        lambda: ask(connection, "SELECT 1 FROM runs WHERE status = 'running'"),
        what="The first run's pipeline",
        within_s=60,
    )
    settle(connection, within_s=60)


def secrets_of(world: World) -> Secrets:
    """Return what this world's hooks are signed with."""
    told = vendors(world)
    return Secrets(gitlab_signing_token=told.gitlab["webhook_signing_token"], jira_secret=told.jira["webhook_secret"])


def _stored(connection: psycopg.Connection[tuple[Any, ...]], source: str, kind: str) -> list[Template]:
    rows = connection.execute(
        "SELECT headers, body FROM deliveries WHERE source = %s AND kind = %s ORDER BY id", [source, kind]
    ).fetchall()
    return [Template(source=source, kind=kind, headers=headers, body=bytes(body)) for headers, body in rows]


def _changes_labels(template: Template) -> bool:
    changelog = json.loads(template.body).get("changelog") or {}
    return any(item["field"] == "labels" for item in changelog.get("items", ()))


def ordinary(connection: psycopg.Connection[tuple[Any, ...]]) -> tuple[Template, ...]:
    """Return what comes in all day, GitLab's and Jira's in turns: pipeline, ticket, job, comment."""
    updates = [one for one in _stored(connection, "jira", "jira:issue_updated") if not _changes_labels(one)]
    parts = (
        _stored(connection, "gitlab", "pipeline"),
        updates,
        _stored(connection, "gitlab", "build"),
        _stored(connection, "jira", "comment_created"),
    )
    if not all(parts):
        raise DemoError("The beginning of a run brought no hooks of some kind: the bench has nothing to send.")
    return tuple(max(part, key=lambda one: len(one.body)) for part in parts)


def label_hook(connection: psycopg.Connection[tuple[Any, ...]]) -> Template:
    """Return the hook that started the run."""
    found = [one for one in _stored(connection, "jira", "jira:issue_updated") if _changes_labels(one)]
    if not found:
        raise DemoError("The inbox has no hook that adds a label.")
    return found[0]


def _pipeline(document: dict[str, Any], number: int) -> None:
    document["object_attributes"]["id"] = FIRST_ID + number


def _build(document: dict[str, Any], number: int) -> None:
    document["build_id"] = document["pipeline_id"] = document["commit"]["id"] = FIRST_ID + number


def _ticket(document: dict[str, Any], number: int) -> None:
    document["issue"] |= {"key": f"PL-{FIRST_ID + number}", "id": str(FIRST_ID + number)}


RENUMBER: dict[str, Callable[[dict[str, Any], int], None]] = {
    "pipeline": _pipeline,
    "build": _build,
    "jira:issue_updated": _ticket,
    "comment_created": _ticket,
}
"""How a body is made to be about something else, by kind."""


def about(template: Template, number: int) -> bytes:
    """Return the template's body about another pipeline, job or ticket."""
    document = json.loads(template.body)
    RENUMBER[template.kind](document, number)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def about_ticket(template: Template, *, key: str, issue_id: str) -> bytes:
    """Return a ticket hook's body about this ticket."""
    document = json.loads(template.body)
    document["issue"] |= {"key": key, "id": issue_id}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def magazine(
    templates: tuple[Template, ...], *, secrets: Secrets, count: int, now: int, first: int = 0
) -> tuple[Shot, ...]:
    """Return so many signed requests, the templates in turns, each delivery new. `now`: seconds since 1970."""
    bodies = [[about(template, first + n) for n in range(min(VARIANTS, count))] for template in templates]
    shots: list[Shot] = []
    for number in range(count):
        template = templates[number % len(templates)]
        variants = bodies[number % len(templates)]
        body = variants[number // len(templates) % len(variants)]
        shots.append(shot(template, body, secrets=secrets, now=now))
    return tuple(shots)


def shot(template: Template, body: bytes, *, secrets: Secrets, now: int) -> Shot:
    """Return a signed request that delivers `body` as something new."""
    delivery = str(uuid.uuid4())
    headers = dict(template.headers)
    match template.source:
        case "gitlab":
            key = base64.b64decode(secrets.gitlab_signing_token.removeprefix("whsec_"))
            signed = hmac.new(key, f"{delivery}.{now}.".encode() + body, hashlib.sha256).digest()
            headers |= {
                "idempotency-key": delivery,
                "webhook-id": delivery,
                "webhook-timestamp": str(now),
                "webhook-signature": "v1," + base64.b64encode(signed).decode(),
            }
        case "jira":
            # Jira's deliveries are told apart by what is signed: another time is another event
            document = json.loads(body) | {"timestamp": uuid.UUID(delivery).int % 10**15}
            body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
            signed = hmac.new(secrets.jira_secret.encode(), body, hashlib.sha256).digest()
            headers |= {
                "x-atlassian-webhook-identifier": delivery,
                "x-hub-signature": f"sha256={signed.hex()}",
            }
        case other:
            raise ValueError(other)
    headers |= {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return Shot(head=f"POST /hooks/{template.source} HTTP/1.1\r\n{lines}\r\n".encode(), body=body)
