"""What jobs were refused, in the story of their run: forged reports, calls that are not allowed, used ID tokens.

A job that asks again and again fills no table: each sentence is kept once, and so many of a run.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import Phase, ProjectPath, RunId
from receiver import limits
from receiver.store.jobs.sessions import JobSession
from receiver.store.postgres.database import lock
from receiver.store.schema import DecisionRow, RunRow

KIND = "JobRefused"
VERDICT = "refused"


class Refusal(Struct, frozen=True, kw_only=True):
    """A job asked for something and did not get it."""

    job: int | None
    phase: Phase
    repository: ProjectPath | None
    reason: str
    """A sentence for people."""


def of(job: JobSession, reason: str) -> Refusal:
    """Return the refusal of a job that has a session."""
    return Refusal(job=job.job_id, phase=job.phase, repository=job.repository, reason=reason)


async def record(session: AsyncSession, run: RunId, refusal: Refusal, *, now: datetime) -> None:
    """Keep a refusal with the run's decisions. Changes nothing else about the run."""
    await lock(session, f"refusals:{run}")
    where = str(refusal.phase) if refusal.repository is None else f"{refusal.phase}: {refusal.repository}"
    sentence = f"{where} was refused: {refusal.reason}"
    mine = (DecisionRow.run_id == run, DecisionRow.event_kind == KIND)
    same = select(DecisionRow.id).where(*mine, DecisionRow.reason == sentence)
    if await session.scalar(same.limit(1)) is not None:
        return
    if (await session.scalar(select(func.count()).where(*mine)) or 0) >= limits.REFUSALS_IN_STORY:
        return
    status = await session.scalar(select(RunRow.status).where(RunRow.id == run))
    session.add(
        DecisionRow(
            run_id=run,
            event_kind=KIND,
            event={"type": KIND, "job": refusal.job, "phase": refusal.phase, "repository": refusal.repository},
            verdict=VERDICT,
            reason=sentence,
            status_before=status,
            status_after=status,
            at=now,
        )
    )
