from decimal import Decimal

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from procrastinate.schema import SchemaManager
from sqlalchemy import create_engine, pool, text

from pipelines.resources import MIGRATIONS
from receiver.store.postgres.database import owned
from receiver.store.postgres.migration import current, newest, upgrade
from receiver.store.schema import Base

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
