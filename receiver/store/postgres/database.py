"""The way to Postgres: addresses, the engine, transactions, locks. Knows no table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from receiver.settings import DatabaseSettings, SettingsError
from receiver.store.postgres import embedded
from receiver.store.postgres.batches import GroupCommit

T = TypeVar("T")
R = TypeVar("R")


class StoreError(Exception):
    """Base of what the store raises."""


def address(settings: DatabaseSettings) -> str:
    """Return SQLAlchemy's address of the database; starts the embedded server when that is what is configured."""
    if settings.database_url:
        try:
            url = make_url(settings.database_url)
        except ArgumentError as error:
            raise SettingsError("Set DATABASE_URL to an address like postgresql://USER:PASSWORD@HOST/NAME.") from error
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    try:
        server = embedded.start(Path(settings.bug_fix_embedded or ""))
    except embedded.EmbeddedServerError as error:
        raise StoreError(str(error)) from error
    return make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def owned(name: str | None, kind: str, _parents: object) -> bool:
    """Tell Alembic which tables are ours; procrastinate's are its own."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


class Database:
    """An engine over psycopg 3. Commands open one, use it, and close it."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=True,  # a restarted Postgres must cost nothing but a reconnect
            pool_timeout=10,
            hide_parameters=True,  # errors are logged, and values may be a ticket's text or a token's hash
        )
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]] | None = None
        self._pool_size = pool_size
        self._groups: dict[object, GroupCommit[Any, Any]] = {}
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @property
    def conninfo(self) -> str:
        """The address as libpq wants it."""
        return make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        async with self._sessions() as session, session.begin():
            yield session

    @asynccontextmanager
    async def direct(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a psycopg connection on which each statement is a transaction, for paths where every millisecond counts.

        A connection that died is noticed by its first statement, which raises; after that all dead ones are replaced.
        """
        if self._pool is None:
            options = {"autocommit": True, "prepare_threshold": 1}
            self._pool = AsyncConnectionPool(
                self.conninfo, min_size=1, max_size=self._pool_size, timeout=3, open=False, kwargs=options
            )
        await self._pool.open()  # does nothing when it is open
        try:
            async with self._pool.connection() as connection:
                yield connection
        except psycopg.OperationalError:
            await self._pool.check()  # others died with it
            raise

    def group(
        self, store: Callable[[Database, Sequence[T]], Awaitable[Sequence[R]]], *, hopeless: tuple[type[Exception], ...]
    ) -> GroupCommit[T, R]:
        """Return the batcher for this store function."""
        if store not in self._groups:
            self._groups[store] = GroupCommit(lambda items: store(self, items), hopeless=hopeless)
        return self._groups[store]

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[bool]:
        """Hold a lock of this name while the block runs; yields False when somebody else holds it.

        The lock is the connection's, so a killed process lets go of it.
        """
        async with self.engine.connect() as connection:
            taken = await connection.scalar(
                text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), {"name": name}
            )
            await connection.commit()
            try:
                yield bool(taken)
            finally:
                if taken:
                    await connection.execute(
                        text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"), {"name": name}
                    )
                    await connection.commit()

    async def close(self) -> None:
        """Close all connections."""
        for group in self._groups.values():
            await group.close()
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
        await self.engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def lock(session: AsyncSession, name: str) -> None:
    """Wait for the lock of this name and hold it until the transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


async def driver(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """Return the psycopg connection under a session, for what has to be in the same transaction."""
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    if not isinstance(connection, psycopg.AsyncConnection):  # the engine is made with psycopg in this module
        raise TypeError(type(connection))
    return connection
