import json
from decimal import Decimal

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from procrastinate.schema import SchemaManager
from sqlalchemy import create_engine, pool, text

from pipelines.language import ProjectPath
from pipelines.resources import MIGRATIONS
from receiver.store.postgres.database import owned
from receiver.store.postgres.migration import current, newest, upgrade
from receiver.store.schema import Base
from receiver.workflow.effect_table import EFFECTS
from receiver.workflow.effects import Confirm
from receiver.workflow.events.merge_request_events import MergeRequestChanged

pytestmark = pytest.mark.integration


def test_an_empty_database_is_upgraded_and_equals_the_tables_in_code(empty_database: str) -> None:
    upgrade(empty_database)
    engine = create_engine(empty_database, poolclass=pool.NullPool)
    options = {"include_name": owned, "compare_type": True, "compare_server_default": True}
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
        assert current(connection) == newest()


def test_an_upgrade_of_a_current_database_changes_nothing(empty_database: str) -> None:
    upgrade(empty_database)
    upgrade(empty_database)


def test_the_frozen_queue_schema_is_that_of_the_installed_queue() -> None:
    frozen = (MIGRATIONS / "sql" / "procrastinate_3_10.sql").read_text(encoding="utf-8")
    assert frozen == SchemaManager.get_schema(), "wrap procrastinate's own migrations in a new revision"


def test_prices_are_dated_and_tiered(postgres: str) -> None:
    engine = create_engine(postgres, poolclass=pool.NullPool)
    query = text("SELECT input, cache_read FROM prices WHERE model = :model ORDER BY valid_from, above_tokens")
    with engine.connect() as connection:
        haiku = connection.execute(query, {"model": "claude-haiku-5-5"}).all()
        sonnet = connection.execute(query, {"model": "claude-sonnet-5-5"}).all()
    assert [tuple(row) for row in haiku] == [
        (Decimal("0.1"), Decimal("0.01")),
        (Decimal("0.5"), Decimal("0.05")),
    ]
    assert [row.cache_read for row in sonnet] == [Decimal("0.2"), Decimal("0.1")]


RUN = """
INSERT INTO runs (id, issue_key, status, status_at, catalogue, labelled_at, created_at)
VALUES (:id, 'PL-1', 'merged', now(), CAST(:catalogue AS jsonb), now(), now())
"""
EFFECT = """
INSERT INTO effects (key, run_id, kind, payload, state, created_at, due_at, result)
VALUES (:key, 'a', :kind, CAST(:payload AS jsonb), 'done', now(), now(), CAST(:result AS jsonb))
"""
REQUEST = """
INSERT INTO merge_requests (run_id, repository, project_id, iid, url, source_branch, state, head_sha, seen_head_sha,
    opened_at)
VALUES ('a', :repository, 1, 1, '', '', 'opened', '', '', now())
"""


def test_what_effects_of_earlier_releases_found_is_in_the_columns_after_the_upgrade(empty_database: str) -> None:
    upgrade(empty_database, revision="0016")
    found = [
        ("OpenMergeRequest", "x/held", {"own_pipeline": "waits", "is_nobody_asked": True, "sentence": "Nobody."}),
        ("OpenMergeRequest", "x/free", {"own_pipeline": "waits", "is_nobody_asked": False, "sentence": ""}),
        ("StartTargetPipeline", "x/free", {"started": True}),
        ("AttachEvidence", "x/held", {"files": ["before.png", "after.png"]}),
        ("LinkTicket", "", None),
    ]
    engine = create_engine(empty_database, poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text(RUN), {"id": "a", "catalogue": '{"jira": {"confidential": {"group": "sec"}}}'})
        connection.execute(text(RUN), {"id": "b", "catalogue": '{"jira": {"confidential": null}}'})
        for repository in ("x/held", "x/free", "x/unknown"):
            connection.execute(text(REQUEST), {"repository": repository})
        for number, (kind, repository, result) in enumerate(found):
            payload = {"iteration": 1, "repository": repository}
            row = {"key": str(number), "kind": kind, "payload": json.dumps(payload), "result": json.dumps(result)}
            connection.execute(text(EFFECT), row)
    upgrade(empty_database)
    with engine.connect() as connection:
        requests = connection.execute(text("SELECT repository, held_back, has_reviewer FROM merge_requests")).all()
        pictures = connection.execute(text("SELECT filename, repository FROM ticket_pictures ORDER BY position")).all()
        remarks = connection.execute(text("SELECT remark FROM effects ORDER BY key")).scalars().all()
        readers = connection.execute(text("SELECT names_readers FROM runs ORDER BY id")).scalars().all()
    assert {tuple(row) for row in requests} == {
        ("x/held", True, False),
        ("x/free", False, True),
        ("x/unknown", False, None),
    }
    assert [tuple(row) for row in pictures] == [("before.png", "x/held"), ("after.png", "x/held")]
    assert remarks == ["Nobody.", "", "", "", ""]
    assert readers == [True, False]


OWNED = """
INSERT INTO runs (id, issue_key, status, status_at, labelled_at, created_at)
VALUES ('a', 'PL-1', 'merged', now(), now(), now()), ('again', 'PL-1', 'running', now(), now(), now()),
       ('other', 'PL-2', 'running', now(), now(), now());
INSERT INTO blobs (sha256, content, size, run_id, created_at) VALUES
    ('kept', 'x', 1, 'a', now()), ('gone', NULL, 1, 'a', now());
INSERT INTO reports (run_id, iteration, phase, project_id, pipeline_id, job_id, sha256, report, outcome, received_at)
VALUES ('again', 1, 'testing', 1, 1, 1, '1', '{}', 'succeeded', now()),
       ('other', 1, 'testing', 1, 1, 2, '2', '{}', 'succeeded', now());
INSERT INTO artifacts (report_id, kind, path, sha256, size) SELECT id, 'log', 'x', 'kept', 1 FROM reports;
INSERT INTO artifacts (report_id, kind, path, sha256, size) SELECT id, 'log', 'y', 'kept', 1 FROM reports;
"""


def test_blobs_get_the_runs_that_handed_them_in_also_from_receivers_that_are_replaced_later(
    empty_database: str,
) -> None:
    upgrade(empty_database, revision="0019")
    engine = create_engine(empty_database, poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text(OWNED))
    upgrade(empty_database)
    with engine.begin() as connection:
        late = "INSERT INTO blobs (sha256, content, size, run_id, created_at) VALUES ('late', 'x', 1, 'other', now())"
        connection.execute(text(late))
        found = connection.execute(text("SELECT sha256, run_id, purged_at IS NULL FROM blob_owners ORDER BY 1, 2"))
        assert [tuple(row) for row in found] == [
            ("gone", "a", False),
            ("kept", "a", True),
            ("kept", "again", True),
            ("late", "other", True),
        ]


def test_an_effect_that_waits_while_its_kind_gets_a_new_name_is_performed_under_that_name(empty_database: str) -> None:
    told = MergeRequestChanged(
        project_id=1,
        project=ProjectPath("x/held"),
        iid=1,
        action="close",
        state="closed",
        source_branch="b",
        head_sha="c",
        actor_id=None,
        actor="",
        at=None,
    )
    payload = msgspec.to_builtins(told)
    row = {"key": "a:ConfirmEnd:decision:1:0", "kind": "ConfirmEnd", "result": None}
    upgrade(empty_database, revision="0024")
    engine = create_engine(empty_database, poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text(RUN), {"id": "a", "catalogue": None})
        connection.execute(text(EFFECT), row | {"payload": json.dumps({"type": "ConfirmEnd", "told": payload})})
    upgrade(empty_database)
    with engine.connect() as connection:
        (waiting,) = connection.execute(text("SELECT key, kind, payload FROM effects"))
    assert waiting.key == "a:Confirm:decision:1:0"
    assert EFFECTS.decode(waiting.kind, waiting.payload) == Confirm(told=told)
