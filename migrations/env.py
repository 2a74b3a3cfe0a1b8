"""Run Alembic's migrations: on the connection that `bug-fix migrate` hands over, else on DATABASE_URL."""

import os

from alembic import context
from sqlalchemy import Connection, create_engine, pool

from receiver.settings import DatabaseSettings, load
from receiver.store.postgres.database import address, owned
from receiver.store.schema import Base


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=owned,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    engine = create_engine(address(load(DatabaseSettings, os.environ)), poolclass=pool.NullPool)
    with engine.connect() as fresh:
        migrate(fresh)
