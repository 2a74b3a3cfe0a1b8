"""Sessions of jobs: made once per ID token, found by the token's hash. The token itself is never stored."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Row, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from pipelines.catalogue import Catalogue
from pipelines.model import Phase, ProjectPath, RunId
from receiver.store.runs import FINAL
from receiver.store.schema import IterationRow, JobRow, RunRow, SessionRow

ENDED_JOBS = frozenset({"success", "failed", "canceling", "canceled", "skipped"})
"""GitLab's job statuses after which a session is dead."""


class JobSession(Struct, frozen=True, kw_only=True):
    """A job that has shown who it is."""

    id: int
    run: RunId
    iteration: int
    phase: Phase
    repository: ProjectPath | None
    project_id: int
    pipeline_id: int
    job_id: int
    expires_at: datetime
    current: bool
    """The run goes on, in this iteration. A session of a run that has ended may report, and spend nothing."""


class Standing(Struct, frozen=True, kw_only=True):
    """A job that has shown who it is, and the terms of its run."""

    job: JobSession
    catalogue: Catalogue | None
    """As frozen at the run's start; None: the ticket was never admitted."""


class NewSession(Struct, frozen=True, kw_only=True):
    """A session to be stored."""

    token: str
    jti: str
    run: RunId
    iteration: int
    phase: Phase
    repository: ProjectPath | None
    project_id: int
    pipeline_id: int
    job_id: int
    created_at: datetime
    expires_at: datetime


def token_hash(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def open_once(session: AsyncSession, new: NewSession) -> datetime | None:
    """Open a session and return its end; None when its ID token was used before.

    Asking again with the same session token, which only the first asker can know, finds the session that is open:
    the answer to the first request was lost on its way.
    """
    row = insert(SessionRow).values(
        token_sha256=token_hash(new.token),
        jti=new.jti,
        run_id=new.run,
        iteration=new.iteration,
        phase=new.phase,
        repository=new.repository,
        project_id=new.project_id,
        pipeline_id=new.pipeline_id,
        job_id=new.job_id,
        created_at=new.created_at,
        expires_at=new.expires_at,
    )
    stored = await session.scalar(row.on_conflict_do_nothing().returning(SessionRow.id))
    if stored is not None:
        return new.expires_at
    same = select(SessionRow.expires_at).where(
        SessionRow.jti == new.jti,
        SessionRow.token_sha256 == token_hash(new.token),
        SessionRow.job_id == new.job_id,
        SessionRow.run_id == new.run,
        SessionRow.iteration == new.iteration,
        SessionRow.phase == new.phase,
        SessionRow.repository.is_not_distinct_from(new.repository),
    )
    return await session.scalar(same)


_LIVING: Final = (
    select(
        SessionRow.id,
        SessionRow.run_id,
        SessionRow.iteration,
        SessionRow.phase,
        SessionRow.repository,
        SessionRow.project_id,
        SessionRow.pipeline_id,
        SessionRow.job_id,
        SessionRow.expires_at,
        JobRow.status,
        RunRow.status.label("run_status"),
        RunRow.iteration.label("run_iteration"),
    )
    .join(RunRow, RunRow.id == SessionRow.run_id)
    .outerjoin(JobRow, JobRow.id == SessionRow.job_id)
    .where(SessionRow.token_sha256 == bindparam("token"), SessionRow.expires_at > bindparam("now"))
)
_STANDING: Final = _LIVING.add_columns(RunRow.catalogue)


async def find(session: AsyncSession, token: str, *, now: datetime) -> JobSession | None:
    """Return the living session of a token: not expired, and its job has not ended as far as we know."""
    found = (await session.execute(_LIVING, {"token": token_hash(token), "now": now})).one_or_none()
    return None if found is None or found.status in ENDED_JOBS else _session(found)


async def standing(connection: AsyncConnection, token: str, *, now: datetime) -> Standing | None:
    """Return the living session of a token with its run's catalogue, in one statement."""
    found = (await connection.execute(_STANDING, {"token": token_hash(token), "now": now})).one_or_none()
    if found is None or found.status in ENDED_JOBS:
        return None
    catalogue = None if found.catalogue is None else msgspec.convert(found.catalogue, Catalogue)
    return Standing(job=_session(found), catalogue=catalogue)


def _session(row: Row[*tuple[Any, ...]]) -> JobSession:
    return JobSession(
        id=row.id,
        run=RunId(row.run_id),
        iteration=row.iteration,
        phase=Phase(row.phase),
        repository=ProjectPath(row.repository) if row.repository else None,
        project_id=row.project_id,
        pipeline_id=row.pipeline_id,
        job_id=row.job_id,
        expires_at=row.expires_at,
        current=row.run_status not in FINAL and row.run_iteration == row.iteration,
    )


async def claim(session: AsyncSession, run: RunId, iteration: int, *, pipeline: int, now: datetime) -> int | None:
    """Let a parent pipeline claim an iteration; return the pipeline that holds it, None for an unknown iteration.

    The first to ask wins; the row lock makes a second wait and then see it.
    """
    query = select(IterationRow).where(IterationRow.run_id == run, IterationRow.number == iteration).with_for_update()
    row = await session.scalar(query)
    if row is None:
        return None
    if row.claimed_by is None:
        row.claimed_by, row.claimed_at = pipeline, now
    return row.claimed_by
