"""A comment on the ticket, from its hook to what the run does about it: once, by whom it may, on whichever edition."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from pipelines.catalogue.file import read as read_catalogue
from pipelines.language import (
    AnalysisResult,
    DiagnosisKind,
    Phase,
    Plan,
    PlanOutcome,
    ProjectPath,
    RunId,
)
from pipelines.language.catalogue import Catalogue
from receiver import limits
from receiver.hooks.delivery import Delivery, Interests, Source
from receiver.hooks.delivery_reader import read
from receiver.outbound.effects.desk import Desk
from receiver.outbound.effects.performers import perform
from receiver.store.effects import note_locations
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.run import iterations, runs
from receiver.store.schema import EffectRow, IterationRow, PlanRow, RunRow
from receiver.store.story import rows
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting, handle
from receiver.worker.sweep import sweep
from receiver.workflow.effects import PostPlan
from receiver.workflow.run import Attempt, Cause, RunStatus
from tests.plans import a_plan
from tests.reports import a_report, stored

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CATALOGUE = Path(__file__).parents[3] / "sandbox" / "scenarios" / "pl-479" / "bug-fix.yml"
CONTACTS = ProjectPath("payk12/contacts")
PLAN = a_plan(reason="It is small.", requirements=["O'Brien can be saved"])


@pytest.fixture
def catalogue() -> Catalogue:
    """Return the catalogue of the scenario, whose people the emulated Jira knows."""
    return read_catalogue(CATALOGUE.read_text(), source=CATALOGUE.name)


@pytest.fixture
def workshop(database: Database, desk: Desk, setting: Setting) -> Workshop:
    def clock() -> datetime:
        return datetime.now(UTC)

    days = timedelta(days=30)
    return Workshop(
        database=database,
        desk=desk,
        setting=replace(setting, clock=clock, catalogue=desk.catalogue()),
        retention=Retention(deliveries=days, transcripts=days),
    )


async def wait_for_people(workshop: Workshop, run: RunId, status: RunStatus, plan: Plan) -> None:
    """Let a run's first iteration have ended with a plan that people have to do something about."""
    async with workshop.database.begin() as session:
        row = await runs.hold(session, run)
        now = workshop.setting.clock()
        report = stored(a_report(run, Phase.ANALYSIS, AnalysisResult(plan=plan)), job=3, at=now)
        session.add(report)
        await session.flush()
        session.add(
            PlanRow(run_id=run, iteration=1, report_id=report.id, plan=msgspec.to_builtins(plan), accepted_at=now)
        )
        await session.flush()
        row.issue_id = issue_id(workshop)
        row.status, row.status_at = status, now
        await iterations.wait_for_people(session, row, now=now)
    if status is RunStatus.AWAITING_APPROVAL:
        await perform(workshop.desk, run, PostPlan(iteration=1))


def issue_id(workshop: Workshop) -> str:
    return workshop.desk.jira._api.issue("PL-479", fields="summary").id


async def hear(workshop: Workshop, world: Any, comment: str, *, names_issue: bool = True) -> str:
    """Handle the hook of a comment as the worker does; return the verdict."""
    about = world.as_person("mara", "GET", f"/comment/{comment}")
    body: dict[str, Any] = {"webhookEvent": "comment_created", "timestamp": 1, "comment": about}
    if names_issue:
        body["issue"] = {"key": "PL-479"}
    delivery = Delivery.stored(
        source=Source.JIRA, headers={}, body=json.dumps(body).encode(), received_at=workshop.setting.clock()
    )
    reading = read(delivery, interests=Interests.of(workshop.setting.catalogue))
    async with workshop.database.begin() as session:
        handled = await handle(session, reading.event, setting=workshop.setting)
    return str(handled.decision.verdict)


async def settle(workshop: Workshop) -> None:
    """Perform what is wanted until nothing is, but start no pipeline."""
    for _ in range(20):
        async with workshop.database.begin() as session:
            pending = select(EffectRow.id).where(EffectRow.state == "pending", EffectRow.kind != "StartPipeline")
            wanted = list(await session.scalars(pending.order_by(EffectRow.id)))
        if not wanted:
            return
        for effect in wanted:
            await work_on(workshop, effect)
    raise AssertionError("there is always something left to do")


async def row_of(workshop: Workshop, run: RunId) -> RunRow:
    async with workshop.database.begin() as session:
        row = await session.get(RunRow, run)
    assert row is not None
    return row


async def started(workshop: Workshop, run: RunId) -> int:
    async with workshop.database.begin() as session:
        wanted = select(EffectRow.id).where(EffectRow.run_id == run, EffectRow.kind == "StartPipeline")
        return len(list(await session.scalars(wanted)))


@pytest.mark.parametrize("names_issue", [True, False], ids=["cloud", "data center, which names no issue"])
async def test_an_approval_carries_out_the_very_plan_that_was_shown(
    workshop: Workshop,
    run: RunId,
    world: Any,
    names_issue: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    await wait_for_people(workshop, run, RunStatus.AWAITING_APPROVAL, PLAN)
    await hear(workshop, world, world.say("mara", "/bug-fix approve"), names_issue=names_issue)
    await settle(workshop)
    row = await row_of(workshop, run)
    assert (row.status, row.iteration, await started(workshop, run)) == ("starting", 2, 1)
    async with workshop.database.begin() as session:
        facts = await runs.facts(session, run)
        first = await session.get_one(IterationRow, (run, 1))
        second = await session.get_one(IterationRow, (run, 2))
    assert facts.pinned_plan == PLAN
    assert (first.kind, second.kind, second.approved_by) == ("analysis", "fix", "5b10ac8d82e05b22cc7d4ef5")
    assert first.finished_at is not None
    async with workshop.database.begin() as session:
        story = await rows.story(session, await runs.find(session, run))
    assert [one.approver for one in story.iterations] == ["", "Mara Lindqvist"]


async def test_a_plan_that_came_after_the_one_that_was_shown_is_not_what_was_approved(
    workshop: Workshop, run: RunId, world: Any
) -> None:
    await wait_for_people(workshop, run, RunStatus.AWAITING_APPROVAL, PLAN)
    async with workshop.database.begin() as session:
        other, now = replace(PLAN, title="Delete all contacts"), workshop.setting.clock()
        later = stored(a_report(run, Phase.ANALYSIS, AnalysisResult(plan=other)), job=4, at=now)
        session.add(later)
        await session.flush()
        session.add(
            PlanRow(run_id=run, iteration=1, report_id=later.id, plan=msgspec.to_builtins(other), accepted_at=now)
        )
    await hear(workshop, world, world.say("mara", "/bug-fix approve"))
    await settle(workshop)
    async with workshop.database.begin() as session:
        assert (await runs.facts(session, run)).pinned_plan == PLAN


async def test_the_same_comment_told_five_times_starts_one_pipeline(workshop: Workshop, run: RunId, world: Any) -> None:
    await wait_for_people(workshop, run, RunStatus.AWAITING_APPROVAL, PLAN)
    comment = world.say("mara", "/bug-fix approve")
    for _ in range(5):
        await hear(workshop, world, comment)
        await settle(workshop)
    assert (await row_of(workshop, run)).iteration == 2
    assert await started(workshop, run) == 1


async def test_a_comment_that_an_earlier_run_obeyed_does_nothing_to_a_later_one(
    workshop: Workshop, run: RunId, world: Any
) -> None:
    await wait_for_people(workshop, run, RunStatus.AWAITING_APPROVAL, PLAN)
    comment = world.say("mara", "/bug-fix approve")
    await hear(workshop, world, comment)
    await settle(workshop)
    later = RunId("00000000000000cc")
    async with workshop.database.begin() as session:
        before = await runs.hold(session, run)
        before.status = RunStatus.FAILED
        await session.flush()
        now = workshop.setting.clock()
        row = await runs.create(
            session, later, issue_key="PL-479", status=RunStatus.ADMITTING, actor=None, name="Mara", now=now
        )
        row.ticket, row.catalogue, row.base_shas = before.ticket, before.catalogue, before.base_shas
        await iterations.begin(session, row, Attempt(number=1, cause=Cause.ADMITTED), now=now)
    await wait_for_people(workshop, later, RunStatus.AWAITING_APPROVAL, PLAN)
    await hear(workshop, world, comment)
    await settle(workshop)
    row_after = await row_of(workshop, later)
    assert (row_after.status, row_after.iteration) == ("awaiting_approval", 1)


@pytest.mark.parametrize("who", ["dana", "bug-fix-bot"])
async def test_who_may_not_approve_changes_nothing(workshop: Workshop, run: RunId, world: Any, who: str) -> None:
    await wait_for_people(workshop, run, RunStatus.AWAITING_APPROVAL, PLAN)
    before = len(world.comments())
    await hear(workshop, world, world.say(who, "/bug-fix approve"))
    await settle(workshop)
    row = await row_of(workshop, run)
    assert (row.status, row.iteration, await started(workshop, run)) == ("awaiting_approval", 1, 0)
    answers = [one["body"] for one in world.comments()[before + 1 :]]
    assert len(answers) == (1 if who == "dana" else 0)
    assert all(body.startswith("→ *Dana Whitfield:* You may not say {{/bug-fix approve}}") for body in answers)


async def test_a_403_on_the_look_up_of_groups_denies_with_the_reason(
    workshop: Workshop, run: RunId, world: Any
) -> None:
    await wait_for_people(workshop, run, RunStatus.AWAITING_APPROVAL, PLAN)
    comment = world.say("tomas", "/bug-fix approve")
    switch = {"path": "/rest/api/2/user", "status": 403, "times": 5}
    httpx2.post(f"{world.jira_url}/_sandbox/faults", json={"requests": [switch]}, timeout=60).raise_for_status()
    await hear(workshop, world, comment)
    await settle(workshop)
    assert (await row_of(workshop, run)).status == "awaiting_approval"
    assert "could not be checked" in world.comments()[-1]["body"]
    assert "403" in world.comments()[-1]["body"]


async def test_the_reporters_answer_is_read_and_the_analysis_begins_anew(
    workshop: Workshop, run: RunId, world: Any
) -> None:
    question = replace(PLAN, outcome=PlanOutcome.NEEDS_INFORMATION, question="Which name?", repositories=[])
    await wait_for_people(workshop, run, RunStatus.NEEDS_INFORMATION, question)
    assert await hear(workshop, world, world.say("dana", "O'Brien.")) == "acted"
    await settle(workshop)
    row = await row_of(workshop, run)
    assert (row.status, row.iteration, await started(workshop, run)) == ("starting", 2, 1)
    async with workshop.database.begin() as session:
        facts = await runs.facts(session, run)
        story = await rows.story(session, row)
    assert facts.ticket is not None
    assert facts.ticket.comments[-1].body == "O'Brien."
    assert facts.pinned_plan is None
    assert [one.kind for one in facts.diagnoses] == [DiagnosisKind.QUESTION]
    assert [one.kind for one in story.iterations] == ["analysis", "fix"]


async def test_an_answer_whose_hook_was_lost_is_found_by_the_sweep(workshop: Workshop, run: RunId, world: Any) -> None:
    question = replace(PLAN, outcome=PlanOutcome.NEEDS_INFORMATION, question="Which name?", repositories=[])
    await wait_for_people(workshop, run, RunStatus.NEEDS_INFORMATION, question)
    async with workshop.database.begin() as session:
        row = await runs.hold(session, run)
        row.status_at = workshop.setting.clock() - limits.TICKET_UNHEARD - timedelta(seconds=1)
    world_question = world.say("bug-fix-bot", "Which name?")
    async with workshop.database.begin() as session:
        await note_locations.keep(
            session, run, "question:1", note_id=world_question, sha256="0" * 64, now=workshop.setting.clock()
        )
    world.say("dana", "O'Brien.")
    await sweep(workshop)
    await settle(workshop)
    assert ((await row_of(workshop, run)).status, await started(workshop, run)) == ("starting", 1)


async def test_a_comment_that_could_not_be_read_is_read_when_jira_is_back(
    workshop: Workshop, run: RunId, world: Any
) -> None:
    await wait_for_people(workshop, run, RunStatus.AWAITING_APPROVAL, PLAN)
    shown = world.say("bug-fix-bot", "The plan.")
    async with workshop.database.begin() as session:
        now = workshop.setting.clock()
        await note_locations.keep(session, run, "plan:1", note_id=shown, sha256="0" * 64, now=now)
    await hear(workshop, world, world.say("mara", "/bug-fix approve"))
    async with workshop.database.begin() as session:
        given_up = update(EffectRow).where(EffectRow.kind == "ReadComment")
        await session.execute(given_up.values(state="given_up"))
        (await runs.hold(session, run)).status_at = now - limits.TICKET_UNHEARD - timedelta(seconds=1)
    await sweep(workshop)
    await settle(workshop)
    assert ((await row_of(workshop, run)).status, await started(workshop, run)) == ("starting", 1)


async def test_a_command_on_a_ticket_without_a_run_is_answered_and_starts_nothing(
    workshop: Workshop, world: Any
) -> None:
    before = len(world.comments())
    for word in ("approve", "retry"):
        assert await hear(workshop, world, world.say("dana", f"/bug-fix {word}")) == "acted"
        await settle(workshop)
    said = [one["body"] for one in world.comments()[before:] if "No bug fix was started for this ticket" in one["body"]]
    assert len(said) == 2
    async with workshop.database.begin() as session:
        (only,) = await session.scalars(select(RunRow).where(RunRow.issue_key == "PL-479"))
    assert (only.status, only.iteration, only.finished_at is not None) == ("refused", 0, True)
    assert await started(workshop, RunId(only.id)) == 0
