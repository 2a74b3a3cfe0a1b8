"""What the store keeps of attempts, for those that follow them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import (
    AnalysisResult,
    Diagnosis,
    DiagnosisKind,
    Phase,
    PhaseResult,
    ProjectPath,
    ReviewResult,
    RunId,
    Sha256,
)
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.store.run import iterations, runs
from receiver.store.schema import IterationRow, PlanRow, RunRow
from receiver.worker.event_handler import Setting
from receiver.workflow.effects import StartPipeline
from receiver.workflow.run import Attempt, Cause, Failure, Reused, RunStatus
from tests.plans import a_plan
from tests.reports import a_report, stored

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
REVIEW = ReviewResult(patch_sha256="b" * 64, summary="", findings=())
WRONG = (Diagnosis(kind=DiagnosisKind.REVIEW_FINDING, messages=("Quote both.",)),)
PLAN = a_plan(reason="It is small.", location=None, repositories=[])


async def started(session: AsyncSession, setting: Setting) -> RunRow:
    """Store a run in its first iteration."""
    run, now = setting.new_run(), setting.clock()
    row = await runs.create(
        session, run, issue_key="PL-479", status=RunStatus.RUNNING, actor=None, name="Mara", now=now
    )
    await iterations.begin(session, row, Attempt(number=1, cause=Cause.ADMITTED), now=now)
    return row


async def reported(session: AsyncSession, row: RunRow, result: PhaseResult, *, state: str, setting: Setting) -> int:
    """Store a report of the first iteration."""
    phase = Phase(str(result.__struct_config__.tag))
    report = a_report(RunId(row.id), phase, result)
    kept = stored(report, job=len(state), at=setting.clock(), state=state, pipeline=100)
    session.add(kept)
    await session.flush()
    return kept.id


async def test_a_run_knows_that_a_review_sent_it_back(database: Database, setting: Setting) -> None:
    async with database.begin() as session:
        row = await started(session, setting)
        for state in ("discarded", "accepted"):
            await reported(session, row, REVIEW, state=state, setting=setting)
            row.iteration = 1
            assert not (await runs.load(session, row)).was_sent_back
            row.iteration = 2
            assert (await runs.load(session, row)).was_sent_back is (state == "accepted")


async def test_an_attempt_that_a_review_sent_back_carries_out_the_same_plan(
    database: Database, setting: Setting
) -> None:
    now = setting.clock()
    async with database.begin() as session:
        row = await started(session, setting)
        report = await reported(session, row, AnalysisResult(plan=PLAN), state="accepted", setting=setting)
        plan = PlanRow(run_id=row.id, iteration=1, report_id=report, plan=msgspec.to_builtins(PLAN), accepted_at=now)
        session.add(plan)
        await session.flush()
        plan_kept = Reused(phase=Phase.ANALYSIS, repository=None, iteration=1, key=None)
        second = Attempt(number=2, cause=Cause.SENT_BACK, diagnoses=WRONG, reuses=(plan_kept,))
        await iterations.begin(session, row, second, now=now)
        told = await runs.facts(session, RunId(row.id))
        assert (told.iteration, told.pinned_plan, told.diagnoses) == (2, PLAN, WRONG)
        assert not (await runs.load(session, row)).approved
        await iterations.begin(session, row, Attempt(number=3, cause=Cause.ANSWERED), now=now)
        assert (await runs.facts(session, RunId(row.id))).pinned_plan is None


async def test_what_a_release_without_kinds_stored_is_still_told(database: Database, setting: Setting) -> None:
    async with database.begin() as session:
        row = await started(session, setting)
        attempt = await session.get_one(IterationRow, (row.id, 1))
        attempt.diagnosis = "Two tests failed."
        told = await runs.facts(session, RunId(row.id))
        assert told.diagnoses == (Diagnosis(kind=DiagnosisKind.UNCLASSIFIED, messages=("Two tests failed.",)),)


async def test_what_attempts_came_to_is_kept_for_those_after_them(database: Database, setting: Setting) -> None:
    now = setting.clock()
    failure = Failure(iteration=1, signature=Sha256("d" * 64), changes={CONTACTS: Sha256("b" * 64)})
    async with database.begin() as session:
        row = await started(session, setting)
        second = Attempt(number=2, cause=Cause.FAILED, diagnoses=WRONG, failure=failure)
        await iterations.begin(session, row, second, now=now)
        await iterations.begin(session, row, Attempt(number=3, cause=Cause.INTERRUPTED, diagnoses=WRONG), now=now)
        run = await runs.load(session, row)
    assert (run.failures, run.diagnoses) == ((failure,), WRONG)
    assert (run.interruptions, run.fixes_tried) == (1, 2)


async def test_an_attempt_that_waits_has_its_pipeline_created_when_the_wait_is_over(
    database: Database, setting: Setting
) -> None:
    now = setting.clock()
    due = now + timedelta(minutes=5)
    async with database.begin() as session:
        run = RunId((await started(session, setting)).id)
        later = (StartPipeline(iteration=2, due_in_s=300),)
        (effect,) = await outbox.store(session, run, later, decision=None, origin="test", now=now)
        job = "SELECT scheduled_at FROM procrastinate_jobs WHERE (args->>'effect_id')::bigint = :effect"
        assert await session.scalar(text(job), {"effect": effect}) == due
        assert await outbox.orphans(session, now=now) == []
