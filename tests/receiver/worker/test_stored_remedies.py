"""How far a remedy came, as the store keeps it: matched, verified or red, shown, accepted or rejected."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import FixSubmission, ImplementationResult, Phase, ProjectPath, ReportOutcome, RunId
from pipelines.language.remedy import Action
from receiver.store.postgres.database import Database
from receiver.store.run import iterations, remedies, runs
from receiver.store.schema import AppliedRemedyRow, RunRow
from receiver.worker.event_handler import Setting
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import Attempt, Cause, Prescription, RunStatus
from tests.plans import CONTACTS
from tests.reports import a_report, stored

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

S = RemedyState
FORMATTING = Prescription(repository=CONTACTS, remedy="formatting", tier=1, confidence=Decimal(1), action=Action.COMMIT)
FIX = ImplementationResult(
    base_sha="a" * 40,
    patch_sha256="b" * 64,
    files=("a.py",),
    insertions=1,
    deletions=1,
    fix=FixSubmission(summary="", files=[], risk="", rollback=""),
)


async def healed(session: AsyncSession, setting: Setting) -> RunRow:
    """Store a run whose second iteration applies a remedy."""
    now = setting.clock()
    row = await runs.create(
        session, setting.new_run(), issue_key="PL-479", status=RunStatus.RUNNING, actor=None, name="Mara", now=now
    )
    await iterations.begin(session, row, Attempt(number=1, cause=Cause.ADMITTED), now=now)
    second = Attempt(number=2, cause=Cause.HEALED, remedies=(FORMATTING,))
    await iterations.begin(session, row, second, now=now)
    return row


def report(row: RunRow, outcome: ReportOutcome, **changes: Any) -> Any:
    facts = {"iteration": 2, "outcome": outcome}
    return a_report(RunId(row.id), Phase.IMPLEMENTATION, FIX, **facts | changes)


async def state(session: AsyncSession) -> tuple[str, ...]:
    return tuple(await session.scalars(select(AppliedRemedyRow.state).execution_options(populate_existing=True)))


async def test_a_run_knows_what_was_applied_and_its_job_what_it_mends(database: Database, setting: Setting) -> None:
    async with database.begin() as session:
        row = await healed(session, setting)
        run = await runs.load(session, row)
        told = await remedies.of_job(session, row.id, iteration=2, repository=CONTACTS)
        assert await remedies.of_job(session, row.id, iteration=1, repository=CONTACTS) is None
    (one,) = run.remedies
    assert (one.iteration, one.repository, one.remedy, one.state) == (2, CONTACTS, "formatting", S.MATCHED)
    assert told is not None
    assert (told.remedy, told.mends) == ("formatting", 1)
    assert (run.healings, run.fixes_tried) == (1, 1)


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        (ReportOutcome.SUCCEEDED, S.VERIFIED),
        (ReportOutcome.REJECTED, S.RED),
        (ReportOutcome.FAILED, S.MATCHED),
    ],
)
async def test_what_the_job_found_out_is_kept_and_a_broken_job_found_out_nothing(
    database: Database, setting: Setting, outcome: ReportOutcome, found: RemedyState
) -> None:
    async with database.begin() as session:
        row = await healed(session, setting)
        for other in (report(row, outcome, iteration=1), report(row, outcome, repository=ProjectPath("payk12/api"))):
            await remedies.verified(session, other, row, now=setting.clock())
            assert await state(session) == (S.MATCHED,)
        await remedies.verified(session, report(row, outcome), row, now=setting.clock())
        assert await state(session) == (found,)


async def test_it_is_shown_with_the_merge_request_and_accepted_or_rejected_with_it(
    database: Database, setting: Setting
) -> None:
    now = setting.clock()
    async with database.begin() as session:
        row = await healed(session, setting)
        await remedies.shown(session, row, CONTACTS, state="opened", now=now)
        assert await state(session) == (S.MATCHED,), "what is not verified is never shown"
        await remedies.verified(session, report(row, ReportOutcome.SUCCEEDED), row, now=now)
        for told, found in (("opened", S.SHOWN), ("closed", S.REJECTED), ("opened", S.SHOWN), ("merged", S.ACCEPTED)):
            await remedies.shown(session, row, CONTACTS, state=told, now=now + timedelta(minutes=1))
            assert await state(session) == (found,)
        await remedies.shown(session, row, CONTACTS, state="closed", now=now)
        assert await state(session) == (S.ACCEPTED,), "nothing undoes a merge"
        kept = await session.get_one(AppliedRemedyRow, (row.id, 2, CONTACTS))
        assert (kept.matched_at, kept.verified_at) == (now, now)
        assert kept.shown_at == kept.closed_at == now + timedelta(minutes=1)


async def test_one_whose_change_was_made_anew_is_not_shown(database: Database, setting: Setting) -> None:
    now = setting.clock()
    async with database.begin() as session:
        row = await healed(session, setting)
        await remedies.verified(session, report(row, ReportOutcome.SUCCEEDED), row, now=now)
        await iterations.begin(session, row, Attempt(number=3, cause=Cause.FAILED), now=now)
        session.add(stored(report(row, ReportOutcome.SUCCEEDED, iteration=3), job=9, at=now))
        await session.flush()
        await remedies.shown(session, row, CONTACTS, state="opened", now=now)
        assert await state(session) == (S.VERIFIED,)


async def test_an_interrupted_iteration_takes_its_remedy_along_and_counts_once(
    database: Database, setting: Setting
) -> None:
    async with database.begin() as session:
        row = await healed(session, setting)
        await iterations.begin(session, row, Attempt(number=3, cause=Cause.INTERRUPTED), now=setting.clock())
        run = await runs.load(session, row)
        told = await remedies.of_job(session, row.id, iteration=3, repository=CONTACTS)
    assert [one.iteration for one in run.remedies] == [3]
    assert told is not None
    assert told.mends == 1
    assert (run.interruptions, run.healings, run.fixes_tried) == (1, 1, 1)
