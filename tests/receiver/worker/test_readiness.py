"""A ticket that says nothing, from its admission to the question, the answer, and what was not spent, in Postgres."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from pipelines.language import IssueKey, Phase, ProjectPath, RunId
from pipelines.language.wire import Ticket
from receiver.store.money import funds
from receiver.store.postgres.database import Database
from receiver.store.run import runs
from receiver.store.schema import EffectRow, RunRow, UsageRow
from receiver.store.story import rows
from receiver.worker.event_handler import Handled, Setting, handle
from receiver.workflow.events.event import Event
from receiver.workflow.events.ticket_events import IssueLabelled, TicketAdmitted, TicketRefreshed
from receiver.workflow.person import AccountId
from receiver.workflow.run import RunStatus

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
LABELLED = IssueLabelled(issue_key=IssueKey("PL-479"), actor=AccountId("mara"), actor_name="Mara")
VAGUE = Ticket(key=IssueKey("PL-479"), summary="Contacts don't work", description="Please fix it!", labels=("bug-fix",))


async def told(database: Database, event: Event, setting: Setting, run: RunId | None = None) -> Handled:
    async with database.begin() as session:
        return await handle(session, event, setting=setting, run=run)


async def admitted(database: Database, setting: Setting) -> RunId:
    run = (await told(database, LABELLED, setting)).run
    assert run is not None
    await told(
        database, TicketAdmitted(ticket=VAGUE, base_shas={CONTACTS: "a" * 40}, catalogue_sha256="0" * 64), setting, run
    )
    return run


async def row_of(database: Database, run: RunId) -> RunRow:
    async with database.begin() as session:
        return await session.get_one(RunRow, run)


async def spend(database: Database, run: RunId, *costs: str | None, iteration: int, at: datetime) -> None:
    """Store settled calls of one analysis."""
    async with database.begin() as session:
        for number, cost in enumerate(costs):
            session.add(
                UsageRow(
                    call_id=f"{run}-{iteration}-{number}",
                    run_id=run,
                    iteration=iteration,
                    phase=Phase.ANALYSIS,
                    purpose="work",
                    model="m",
                    state="settled",
                    reserved_usd=Decimal(1),
                    reserved_at=at,
                    cost_usd=None if cost is None else Decimal(cost),
                )
            )


async def test_the_run_waits_without_an_attempt_and_the_story_has_the_question(
    database: Database, setting: Setting
) -> None:
    run = await admitted(database, setting)
    row = await row_of(database, run)
    assert (row.status, row.iteration, row.saved_usd) == (RunStatus.NEEDS_INFORMATION, 0, None)
    async with database.begin() as session:
        kinds = set(await session.scalars(select(EffectRow.kind).where(EffectRow.run_id == run)))
        story = await rows.story(session, await runs.find(session, run))
    assert kinds >= {"AskReporter", "UpdateTicketNote"}
    assert "StartPipeline" not in kinds
    assert story.run.asked.startswith("What exactly happens")
    assert story.costs.total.calls == 0


async def test_an_answer_starts_the_first_attempt_with_the_ticket_as_it_is_by_then(
    database: Database, setting: Setting
) -> None:
    run = await admitted(database, setting)
    answered = TicketRefreshed(
        iteration=1,
        ticket=replace(VAGUE, description="O'Brien gives 500"),
        base_shas={CONTACTS: "b" * 40},
        because="Dana answered.",
        hint="",
    )
    await told(database, answered, setting, run)
    async with database.begin() as session:
        facts = await runs.facts(session, run)
        loaded = await runs.load(session, await runs.find(session, run))
    assert facts.ticket is not None
    assert (facts.ticket.description, facts.base_shas[CONTACTS]) == ("O'Brien gives 500", "b" * 40)
    assert (loaded.status, loaded.iteration, loaded.fixes_tried) == (RunStatus.STARTING, 1, 1)


async def test_what_an_analysis_usually_costs_is_kept_as_what_was_not_spent(
    database: Database, setting: Setting, clock: Any
) -> None:
    other = (await told(database, replace(LABELLED, issue_key=IssueKey("PL-1")), setting)).run
    assert other is not None
    now: datetime = clock()
    await spend(database, other, "0.20", "0.10", iteration=1, at=now - timedelta(days=1))
    await spend(database, other, "0.50", iteration=2, at=now - timedelta(days=1))
    await spend(database, other, "7.00", None, iteration=3, at=now - timedelta(days=1))  # partly unknown
    await spend(database, other, "9.00", iteration=4, at=now - timedelta(days=91))
    run = await admitted(database, setting)
    assert (await row_of(database, run)).saved_usd == Decimal("0.40")


async def test_what_no_phase_cost_yet_is_unknown(database: Database) -> None:
    async with database.begin() as session:
        assert await funds.usual_cost(session, Phase.ANALYSIS, now=datetime.now(UTC)) is None
