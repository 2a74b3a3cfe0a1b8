"""Bring the database to the newest version of the tables. Two processes may do it at once; one waits."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, pool, text

from pipelines.resources import MIGRATIONS


def configuration() -> Config:
    """Return Alembic's configuration, the same as pyproject.toml gives to its command line."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def upgrade(url: str, *, revision: str = "head") -> None:
    """Upgrade the database at `url`."""
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(hashtextextended('bug-fix migrate', 0))"))
        connection.commit()
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(hashtextextended('bug-fix migrate', 0))"))
        connection.commit()
    engine.dispose()


def newest() -> str | None:
    """Return the newest revision that this program knows."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def current(connection: Connection) -> str | None:
    """Return the revision that the database is at; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()
