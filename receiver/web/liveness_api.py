"""Whether the receiver lives, and whether it can take hooks. Open to everybody: says nothing else."""

from __future__ import annotations

import asyncio

import structlog
from litestar import Response, get
from litestar.di import NamedDependency
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from receiver import limits
from receiver.store.postgres.database import Database
from receiver.web.problems import problem

log = structlog.get_logger()


@get("/health")
async def health() -> dict[str, str]:
    """Answer that the process lives; asks nobody."""
    return {"status": "live"}


@get("/ready")
async def ready(database: NamedDependency[Database]) -> Response[bytes]:
    """Answer whether the database can be reached."""
    try:
        async with asyncio.timeout(limits.DATABASE_ANSWER_S), database.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("ready.no", reason=f"{type(error).__name__}: {error}")
        return problem(503, "The database can't be reached.", retry_after_s=limits.DATABASE_ANSWER_S)
    return Response(b'{"status":"ready"}', media_type="application/json")


HANDLERS = [health, ready]
