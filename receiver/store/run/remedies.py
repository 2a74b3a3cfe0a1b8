"""Remedies of a run: applied, verified, shown, accepted or rejected. The only SQL about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import Phase, PhaseReport, ProjectPath, ReportOutcome
from pipelines.language.remedy import Action
from receiver.store.schema import AppliedRemedyRow, ReportRow, RunRow
from receiver.workflow.events.remedy_events import RemedyTold
from receiver.workflow.remedy_state import OFFERED, RemedyState
from receiver.workflow.run import Attempt, Cause, RemedyView

S = RemedyState

OF_MERGE_REQUEST: Final[Mapping[str, RemedyState]] = {"merged": S.ACCEPTED, "closed": S.REJECTED, "opened": S.SHOWN}
"""What GitLab's state of a merge request says of the remedies in it."""


class AppliedRemedy(Struct, frozen=True, kw_only=True):
    """What a job applies."""

    remedy: str
    mends: int
    """The iteration whose change it mends."""
    action: Action


async def begin(session: AsyncSession, run: RunRow, attempt: Attempt, *, now: datetime) -> None:
    """Note what an iteration applies; one that goes on after an interruption applies what that one did."""
    for one in attempt.remedies:
        row = insert(AppliedRemedyRow).values(
            run_id=run.id,
            iteration=attempt.number,
            repository=one.repository,
            mends=run.iteration,
            remedy=one.remedy,
            tier=one.tier,
            confidence=one.confidence,
            action=one.action,
            state=S.MATCHED,
            matched_at=now,
        )
        await session.execute(row.on_conflict_do_nothing())
    if attempt.cause is Cause.INTERRUPTED:
        going_on = _in(run, AppliedRemedyRow.iteration == run.iteration, states=(S.MATCHED, S.VERIFIED))
        await session.execute(update(AppliedRemedyRow).where(*going_on).values(iteration=attempt.number))


async def verified(session: AsyncSession, report: PhaseReport, run: RunRow, *, now: datetime) -> None:
    """Note what the job that applied a remedy found out; a job that was interrupted found out nothing."""
    state = {ReportOutcome.SUCCEEDED: S.VERIFIED, ReportOutcome.REJECTED: S.RED}.get(report.outcome)
    if report.phase is not Phase.IMPLEMENTATION or state is None:
        return
    this = (AppliedRemedyRow.iteration == report.iteration, AppliedRemedyRow.repository == report.repository)
    row = update(AppliedRemedyRow).where(*_in(run, *this, states=(S.MATCHED,)))
    await session.execute(row.values(state=state, verified_at=now))


async def shown(session: AsyncSession, run: RunRow, repository: str, *, state: str, now: datetime) -> None:
    """Note what became of the merge request that holds a remedy: none whose change was made anew since.

    What is offered is shown when it is posted, and was not wanted when the merge request ends without it.
    """
    becomes = OF_MERGE_REQUEST.get(state)
    if becomes is None:
        return
    offered = AppliedRemedyRow.action.in_(OFFERED)
    of_change = (AppliedRemedyRow.repository == repository, ~made_anew())
    before = tuple(one for one in (S.VERIFIED, S.SHOWN, S.REJECTED) if one is not becomes)
    values: dict[str, Any] = {"state": becomes, "closed_at": None if becomes is S.SHOWN else now}
    if becomes is S.SHOWN:
        values["shown_at"] = now
    where = _in(run, *of_change, ~offered, states=before)
    await session.execute(update(AppliedRemedyRow).where(*where).values(**values))
    if becomes is not S.SHOWN:
        left = _in(run, *of_change, offered, states=(S.SHOWN,))
        await session.execute(update(AppliedRemedyRow).where(*left).values(state=S.REJECTED, closed_at=now))


def made_anew() -> ColumnElement[bool]:
    """Return whether the change that a remedy was made for was made again since."""
    return exists().where(
        ReportRow.run_id == AppliedRemedyRow.run_id,
        ReportRow.repository == AppliedRemedyRow.repository,
        ReportRow.phase == Phase.IMPLEMENTATION,
        ReportRow.state == "accepted",
        ReportRow.iteration > AppliedRemedyRow.iteration,
    )


COMES_AFTER: Final[Mapping[RemedyState, frozenset[RemedyState]]] = {
    S.SHOWN: frozenset({S.VERIFIED}),
    S.ACCEPTED: frozenset({S.VERIFIED, S.SHOWN}),
    S.REJECTED: frozenset({S.VERIFIED, S.SHOWN}),
    S.REVERTED: frozenset({S.ACCEPTED}),
}
"""What a remedy that is offered can have been before: what verified red is never shown."""


async def told(session: AsyncSession, event: RemedyTold, run: RunRow, *, now: datetime) -> bool:
    """Note what became of a remedy that is offered; return whether that is news."""
    key = (run.id, event.iteration, event.repository)
    row = await session.get(AppliedRemedyRow, key, populate_existing=True)
    if row is None or row.state not in COMES_AFTER.get(event.state, frozenset()):
        return False
    row.state, row.shown_at = event.state, row.shown_at or now
    row.closed_at = None if event.state is S.SHOWN else now
    return True


async def of_run(session: AsyncSession, run: RunRow) -> tuple[RemedyView, ...]:
    """Return what was applied in a run, oldest first; without a query where nothing can have been."""
    if run.iteration < 2:
        return ()
    rows = await session.scalars(
        select(AppliedRemedyRow)
        .where(AppliedRemedyRow.run_id == run.id)
        .order_by(AppliedRemedyRow.iteration, AppliedRemedyRow.repository)
    )
    return tuple(
        RemedyView(
            iteration=row.iteration,
            repository=ProjectPath(row.repository),
            remedy=row.remedy,
            state=RemedyState(row.state),
            action=Action(row.action),
        )
        for row in rows
    )


async def of_job(session: AsyncSession, run: str, *, iteration: int, repository: str | None) -> AppliedRemedy | None:
    """Return what the implementation job of a repository applies; None: an agent works."""
    row = await session.get(AppliedRemedyRow, (run, iteration, repository)) if repository is not None else None
    return None if row is None else AppliedRemedy(remedy=row.remedy, mends=row.mends, action=Action(row.action))


def _in(run: RunRow, *which: ColumnElement[bool], states: tuple[RemedyState, ...]) -> tuple[ColumnElement[bool], ...]:
    return (AppliedRemedyRow.run_id == run.id, AppliedRemedyRow.state.in_(states), *which)
