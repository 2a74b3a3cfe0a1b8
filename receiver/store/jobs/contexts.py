"""What is known of repositories at commits: kept once, read by every job of every run that works on that commit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import CommitSha, ProjectPath
from pipelines.language.repository_context import CONTEXT_VERSION, RepositoryContext
from receiver.store.postgres.json_text import storable
from receiver.store.schema import ContextRow


async def keep(session: AsyncSession, context: RepositoryContext, *, run: str, now: datetime) -> bool:
    """Keep a document; return whether it is the first of its commit. The first one stays."""
    row = insert(ContextRow).values(
        repository=context.repository,
        commit_sha=context.commit,
        version=context.version,
        document=storable(msgspec.to_builtins(context)),
        built_by=run,
        built_at=now,
    )
    kept = await session.execute(row.on_conflict_do_nothing().returning(ContextRow.repository))
    return kept.first() is not None


async def of_commits(
    session: AsyncSession, commits: Mapping[ProjectPath, CommitSha]
) -> dict[ProjectPath, RepositoryContext]:
    """Return the documents of some repositories at these commits, as this version builds them."""
    rows = await session.scalars(
        select(ContextRow)
        .where(tuple_(ContextRow.repository, ContextRow.commit_sha).in_(list(commits.items())))
        .where(ContextRow.version == CONTEXT_VERSION)
        .order_by(ContextRow.repository)
    )
    return {ProjectPath(row.repository): msgspec.convert(row.document, RepositoryContext) for row in rows}
