"""A database with one run in it, whose texts are hostile."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import make_url

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOSTILE = "Contacts [bold]fail[/]\x1b[2J\u202e"


@pytest.fixture
def told(postgres: str) -> str:
    """Return the address of a database with one run in it."""
    plain_url = make_url(postgres).set(drivername="postgresql").render_as_string(hide_password=False)
    ticket = {"key": "PL-479", "summary": HOSTILE, "description": ""}
    with psycopg.connect(plain_url) as connection:
        connection.execute(
            "INSERT INTO runs (id, issue_key, status, status_at, iteration, ticket, reason, labelled_at, created_at)"
            " VALUES ('00000000000000aa', 'PL-479', 'running', %(now)s, 1, %(ticket)s, %(reason)s, %(now)s, %(now)s)",
            {"now": NOW, "ticket": json.dumps(ticket), "reason": HOSTILE},
        )
        connection.execute(
            "INSERT INTO decisions (run_id, event_kind, event, verdict, reason, status_before, status_after, at)"
            " VALUES ('00000000000000aa', 'IssueLabelled', '{}', 'acted', %s, 'admitting', 'running', %s)",
            [HOSTILE, NOW],
        )
        connection.execute(
            "INSERT INTO decisions (run_id, event_kind, event, verdict, reason, status_before, status_after, at)"
            " VALUES ('00000000000000aa', 'JobChanged', '{}', 'noted', %s, 'running', 'running', %s)",
            ["GitLab said `pending` of job analysis after `running`, which stands.", NOW],
        )
        blob = b'{"type":"start","model":"m"}\n{"type":"message","role":"user","content":"Hello [red]"}\n'
        connection.execute(
            "INSERT INTO blobs (sha256, content, size, run_id, created_at)"
            " VALUES ('00', %s, 1, '00000000000000aa', %s)",
            [blob, NOW],
        )
        connection.execute(
            "INSERT INTO transcripts (run_id, iteration, phase, job_id, sha256, created_at)"
            " VALUES ('00000000000000aa', 1, 'analysis', 7, '00', %s)",
            [NOW],
        )
    return postgres
