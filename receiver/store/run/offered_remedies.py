"""Remedies that stand beside the fix of a merge request, with the changes before and after. Reads only."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import ImplementationResult, Phase, ProjectPath, RunId
from pipelines.language.remedy import Action
from receiver.store.jobs import blobs
from receiver.store.run import settled_reports
from receiver.store.run.remedies import made_anew
from receiver.store.schema import AppliedRemedyRow, RunRow
from receiver.workflow.remedy_state import OFFERED, RemedyState

S = RemedyState


class Offer(Struct, frozen=True, kw_only=True):
    """A remedy that stands beside the fix until somebody takes it."""

    number: int
    """By which people name it in a run."""
    iteration: int
    remedy: str
    action: Action
    state: RemedyState
    before: bytes
    """The change set without it, as a job handed it in."""
    after: bytes


async def offers(session: AsyncSession, run: RunRow, repository: str) -> tuple[Offer, ...]:
    """Return the remedies that were verified for a repository and are offered there, or were.

    One whose change was made anew since is not wanted any more.
    """
    mine = AppliedRemedyRow.run_id == run.id
    order = (AppliedRemedyRow.iteration, AppliedRemedyRow.repository)
    rows = list(await session.scalars(select(AppliedRemedyRow).where(mine).order_by(*order)))
    anew = {tuple(one) for one in await session.execute(select(*order).where(mine, made_anew()))}
    found = []
    for number, row in enumerate(rows, start=1):
        is_shown = row.action in OFFERED and row.state in {S.VERIFIED, S.SHOWN, S.ACCEPTED, S.REJECTED}
        if row.repository != repository or not is_shown:
            continue
        before = await change_of(session, run.id, row.mends, repository)
        after = await change_of(session, run.id, row.iteration, repository)
        if before is None or after is None:
            continue
        found.append(
            Offer(
                number=number,
                iteration=row.iteration,
                remedy=row.remedy,
                action=Action(row.action),
                state=S.REJECTED if (row.iteration, row.repository) in anew else S(row.state),
                before=before,
                after=after,
            )
        )
    return tuple(found)


async def change_of(session: AsyncSession, run: str, iteration: int, repository: str) -> bytes | None:
    """Return the change set that was accepted in an iteration; None when there is none, or it is not kept any more."""
    found = await settled_reports.accepted(
        session, RunId(run), iteration=iteration, phase=Phase.IMPLEMENTATION, repository=ProjectPath(repository)
    )
    match None if found is None else found[1].result:
        case ImplementationResult(patch_sha256=digest):
            return await blobs.read(session, digest, run=RunId(run))
        case _:
            return None
