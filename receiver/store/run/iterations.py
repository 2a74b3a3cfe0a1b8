"""Iterations of a run: begun, ended in waiting for people, over."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.jobs import reused_reports
from receiver.store.postgres.json_text import storable
from receiver.store.run import remedies
from receiver.store.schema import IterationRow, PlanRow, RunRow
from receiver.workflow.run import Attempt, Cause


async def begin(
    session: AsyncSession,
    run: RunRow,
    attempt: Attempt,
    *,
    now: datetime,
) -> None:
    """Note that an attempt starts, and the one before is over."""
    number = attempt.number
    await session.execute(
        update(IterationRow)
        .where(IterationRow.run_id == run.id, IterationRow.number < number, IterationRow.finished_at.is_(None))
        .values(finished_at=now)
    )
    before = await session.get(IterationRow, (run.id, run.iteration))
    if before is not None and attempt.failure is not None:
        before.failure = msgspec.to_builtins(attempt.failure)
    if before is not None and attempt.cause is Cause.INTERRUPTED:
        before.kind = "infrastructure"
    plan = before.plan_id if before is not None and attempt.keeps_plan else None
    if attempt.keeps_plan and plan is None:
        plan = await session.scalar(_accepted_plan(run))
    row = insert(IterationRow).values(
        run_id=run.id,
        number=number,
        cause=attempt.cause,
        diagnoses=storable(msgspec.to_builtins(attempt.diagnoses)) if attempt.diagnoses else None,
        approved_by=attempt.approved_by,
        plan_id=plan,
        started_at=now,
    )
    await session.execute(row.on_conflict_do_nothing())
    await remedies.begin(session, run, attempt, now=now)
    for one in attempt.reuses:
        await reused_reports.keep(session, run.id, number, one)
    run.iteration = number


def _accepted_plan(run: RunRow) -> Select[int]:
    """Return the query for the plan that counts in the current iteration."""
    return (
        select(PlanRow.id)
        .where(PlanRow.run_id == run.id, PlanRow.iteration == run.iteration, PlanRow.accepted_at.is_not(None))
        .order_by(PlanRow.id.desc())
        .limit(1)
    )


async def waits_since(session: AsyncSession, run: str, iteration: int) -> datetime | None:
    """Return when an attempt ended in a question or in a plan that waits; None while it goes on."""
    attempt = await session.get(IterationRow, (run, iteration))
    return None if attempt is None else attempt.finished_at


async def wait_for_people(session: AsyncSession, run: RunRow, *, now: datetime) -> None:
    """Note that the attempt ended in a question or in a plan that waits, and pin what people are shown."""
    this = update(IterationRow).where(IterationRow.run_id == run.id, IterationRow.number == run.iteration)
    await session.execute(this.values(kind="analysis", plan_id=_accepted_plan(run).scalar_subquery(), finished_at=now))


async def interrupt(session: AsyncSession, run: RunRow, *, now: datetime) -> None:
    """Note that people paused the run before the attempt came to an end."""
    this = update(IterationRow).where(IterationRow.run_id == run.id, IterationRow.number == run.iteration)
    await session.execute(this.values(kind="paused", finished_at=now))


async def end(session: AsyncSession, run: RunRow, *, now: datetime) -> None:
    """Note that no attempt goes on."""
    going_on = update(IterationRow).where(IterationRow.run_id == run.id, IterationRow.finished_at.is_(None))
    await session.execute(going_on.values(finished_at=now))
