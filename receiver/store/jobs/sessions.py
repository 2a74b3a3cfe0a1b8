"""Sessions of jobs: made once per ID token, found by the token's hash. The token itself is never stored."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import psycopg
from msgspec import Struct
from psycopg.rows import class_row
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import Phase, PipelineKey, PipelineKind, Plan, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.pipeline_key import fix
from pipelines.language.report_seal import token_sha256
from receiver.store.schema import ClaimRow, JobRow, RunRow, SessionRow
from receiver.workflow.lifecycle import AT_REST, WITHOUT_SESSION


class JobSession(Struct, frozen=True, kw_only=True):
    """A job that has shown who it is."""

    id: int
    run: RunId
    kind: PipelineKind = PipelineKind.FIX
    iteration: int
    """Number of its pipeline within the kind."""
    phase: Phase
    repository: ProjectPath | None
    project_id: int
    pipeline_id: int
    job_id: int
    expires_at: datetime
    client: str = ""
    """Version of the job client; empty: of a release that did not send it."""
    current: bool
    """The run goes on, with this pipeline. A session of a run that has ended may report, and spend nothing."""

    @property
    def pipeline(self) -> PipelineKey:
        """Return which of the run's pipelines the job is in."""
        return PipelineKey(kind=self.kind, number=self.iteration)


class AdmittedJob(Struct, frozen=True, kw_only=True):
    """A job that has shown who it is, and the terms of its run."""

    job: JobSession
    catalogue: Catalogue | None
    """As frozen at the run's start; None: the ticket was never admitted."""
    extra_usd: Decimal = Decimal(0)
    """What people let the run cost beyond its catalogue's budget."""
    plan: Plan | None
    """What the newest analysis of the session's iteration planned, or the plan that it was begun with, of an
    implementing job; None also when the report was not accepted."""


class NewSession(Struct, frozen=True, kw_only=True):
    """A session to be stored."""

    token: str
    jti: str
    run: RunId
    pipeline: PipelineKey
    phase: Phase
    repository: ProjectPath | None
    project_id: int
    pipeline_id: int
    job_id: int
    client: str = ""
    created_at: datetime
    expires_at: datetime


async def open_once(session: AsyncSession, new: NewSession) -> datetime | None:
    """Open a session and return its end; None when its ID token was used before.

    Asking again with the same session token, which only the first asker can know, finds the session that is open:
    the answer to the first request was lost on its way.
    """
    row = insert(SessionRow).values(
        token_sha256=token_sha256(new.token),
        jti=new.jti,
        run_id=new.run,
        kind=new.pipeline.kind,
        iteration=new.pipeline.number,
        phase=new.phase,
        repository=new.repository,
        project_id=new.project_id,
        pipeline_id=new.pipeline_id,
        job_id=new.job_id,
        client=new.client,
        created_at=new.created_at,
        expires_at=new.expires_at,
    )
    stored = await session.scalar(row.on_conflict_do_nothing().returning(SessionRow.id))
    if stored is not None:
        return new.expires_at
    same = select(SessionRow.expires_at).where(
        SessionRow.jti == new.jti,
        SessionRow.token_sha256 == token_sha256(new.token),
        SessionRow.job_id == new.job_id,
        SessionRow.run_id == new.run,
        SessionRow.kind == new.pipeline.kind,
        SessionRow.iteration == new.pipeline.number,
        SessionRow.phase == new.phase,
        SessionRow.repository.is_not_distinct_from(new.repository),
    )
    return await session.scalar(same)


def job_of(row: SessionRow, *, current: bool) -> JobSession:
    """Return the job that a stored session belongs to."""
    return JobSession(
        id=row.id,
        run=RunId(row.run_id),
        kind=PipelineKind(row.kind),
        iteration=row.iteration,
        phase=Phase(row.phase),
        repository=ProjectPath(row.repository) if row.repository else None,
        project_id=row.project_id,
        pipeline_id=row.pipeline_id,
        job_id=row.job_id,
        expires_at=row.expires_at,
        client=row.client,
        current=current,
    )


async def first_of(session: AsyncSession, job: int) -> JobSession | None:
    """Return the job with this id in GitLab, as its first session has it; living or not."""
    query = select(SessionRow).where(SessionRow.job_id == job).order_by(SessionRow.id).limit(1)
    row = await session.scalar(query)
    return None if row is None else job_of(row, current=False)


async def find(session: AsyncSession, token: str, *, now: datetime) -> JobSession | None:
    """Return the living session of a token: not expired, and its job has not ended as far as we know."""
    query = (
        select(SessionRow, JobRow.status, RunRow.status.label("run_status"), RunRow.iteration.label("run_iteration"))
        .join(RunRow, RunRow.id == SessionRow.run_id)
        .outerjoin(JobRow, JobRow.id == SessionRow.job_id)
        .where(SessionRow.token_sha256 == token_sha256(token), SessionRow.expires_at > now)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None or found.status in WITHOUT_SESSION:
        return None
    row: SessionRow = found[0]
    key = PipelineKey(kind=PipelineKind(row.kind), number=row.iteration)
    return job_of(row, current=_goes_on(key, status=found.run_status, iteration=found.run_iteration))


def _goes_on(pipeline: PipelineKey, *, status: str, iteration: int) -> bool:
    """Tell whether a run of this status and iteration still works with a pipeline."""
    return status not in AT_REST and pipeline == fix(iteration)


class _Found(Struct, frozen=True, kw_only=True):
    """A row of the statement below."""

    id: int
    run_id: str
    kind: str
    iteration: int
    phase: str
    repository: str | None
    project_id: int
    pipeline_id: int
    job_id: int
    expires_at: datetime
    job_status: str | None
    run_status: str
    run_iteration: int
    catalogue: dict[str, Any] | None
    extra_usd: Decimal
    plan: dict[str, Any] | None


_ADMITTED: Final = """
    SELECT s.id, s.run_id, s.kind, s.iteration, s.phase, s.repository, s.project_id, s.pipeline_id, s.job_id,
           s.expires_at, j.status AS job_status, r.status AS run_status, r.iteration AS run_iteration, r.catalogue,
           r.extra_usd,
           CASE WHEN a.report IS NULL THEN p.plan
                WHEN a.state = 'accepted' THEN a.report #> '{result,plan}' END AS plan
      FROM sessions AS s JOIN runs AS r ON r.id = s.run_id LEFT JOIN jobs AS j ON j.id = s.job_id
      LEFT JOIN LATERAL (
           SELECT state, report FROM reports
            WHERE run_id = s.run_id AND kind = s.kind AND iteration = s.iteration
              AND phase = 'analysis' AND repository IS NULL
            ORDER BY job_id DESC, id DESC LIMIT 1
      ) AS a ON s.phase = 'implementation'
      LEFT JOIN iterations AS i
        ON s.phase = 'implementation' AND i.run_id = s.run_id AND i.number = s.iteration AND i.kind <> 'analysis'
      LEFT JOIN plans AS p ON p.id = i.plan_id
     WHERE s.token_sha256 = %s AND s.expires_at > %s
"""


async def admitted(connection: psycopg.AsyncConnection[Any], token: str, *, now: datetime) -> AdmittedJob | None:
    """Return what `find` does together with the run's terms, in one statement: each model call asks for it."""
    cursor = connection.cursor(row_factory=class_row(_Found))
    row = await (await cursor.execute(_ADMITTED, (token_sha256(token), now))).fetchone()
    if row is None or row.job_status in WITHOUT_SESSION:
        return None
    job = JobSession(
        id=row.id,
        run=RunId(row.run_id),
        kind=PipelineKind(row.kind),
        iteration=row.iteration,
        phase=Phase(row.phase),
        repository=ProjectPath(row.repository) if row.repository else None,
        project_id=row.project_id,
        pipeline_id=row.pipeline_id,
        job_id=row.job_id,
        expires_at=row.expires_at,
        current=_goes_on(
            PipelineKey(kind=PipelineKind(row.kind), number=row.iteration),
            status=row.run_status,
            iteration=row.run_iteration,
        ),
    )
    return AdmittedJob(
        job=job,
        catalogue=None if row.catalogue is None else msgspec.convert(row.catalogue, Catalogue),
        extra_usd=row.extra_usd,
        plan=None if row.plan is None else msgspec.convert(row.plan, Plan),
    )


async def claim(session: AsyncSession, run: RunId, key: PipelineKey, *, pipeline: int, now: datetime) -> int:
    """Let a pipeline in GitLab claim one of the run's pipelines; return the one that holds it: the first to ask."""
    mine = insert(ClaimRow).values(run_id=run, kind=key.kind, number=key.number, pipeline_id=pipeline, at=now)
    await session.execute(mine.on_conflict_do_nothing())
    holder = select(ClaimRow.pipeline_id).where(
        ClaimRow.run_id == run, ClaimRow.kind == key.kind, ClaimRow.number == key.number
    )
    return (await session.scalars(holder)).one()
