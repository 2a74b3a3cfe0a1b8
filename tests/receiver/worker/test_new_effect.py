"""An effect is added by one row and one function."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console
from sqlalchemy import select, text

from pipelines.language import RunId
from receiver.cli import story_printer
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.performers import PERFORMERS
from receiver.outbound.errors import RefusedError
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.schema import EffectRow, RunRow
from receiver.store.story import Story, rows
from receiver.web.pages import run_page
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting
from receiver.workflow.effect_table import EFFECTS, EffectRule, EffectTable
from receiver.workflow.effects import Effect, LinkTicket

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


class RingBell(Effect, frozen=True, kw_only=True):
    """Ring a bell in somebody's office."""

    office: str


TABLE = EffectTable(
    [
        *EFFECTS.rules.values(),
        EffectRule(
            effect=RingBell, name="ring the bell", group="bell", once=("office",), failure="The bell could not be rung"
        ),
    ]
)


@pytest.fixture
def rung() -> list[str]:
    return []


@pytest.fixture
def workshop(database: Database, desk: Desk, setting: Setting, rung: list[str]) -> Workshop:
    async def ring(_desk: Desk, _run: RunId, effect: RingBell) -> Performed:
        if effect.office == "locked":
            raise RefusedError("The office is locked.")
        rung.append(effect.office)
        return Performed(remark=f"It rang in {effect.office}.")

    def clock() -> datetime:
        return datetime.now(UTC)

    days = timedelta(days=30)
    return Workshop(
        database=database,
        desk=desk,
        setting=replace(setting, clock=clock, effects=TABLE),
        retention=Retention(deliveries=days, transcripts=days),
        performers={**PERFORMERS, RingBell: ring},
    )


@pytest.fixture
def wanted(workshop: Workshop) -> Callable[..., Any]:
    async def store(run: RunId, *effects: Effect, origin: str = "test") -> list[int]:
        async with workshop.database.begin() as session:
            now = workshop.setting.clock()
            return await outbox.store(
                session, run, effects, decision=None, origin=origin, now=now, table=workshop.setting.effects
            )

    return store


async def told(workshop: Workshop, run: RunId) -> Story:
    async with workshop.database.begin() as session:
        row = await session.get_one(RunRow, run)
        return await rows.story(session, row, table=workshop.setting.effects)


async def test_it_is_stored_once_ordered_performed_told_and_shown(
    workshop: Workshop, run: RunId, wanted: Any, rung: list[str]
) -> None:
    stored = await wanted(run, RingBell(office="north"), RingBell(office="south"))
    assert await wanted(run, RingBell(office="north"), origin="again") == []
    async with workshop.database.begin() as session:
        keys = list(await session.scalars(select(EffectRow.key).order_by(EffectRow.id)))
        groups = list(await session.scalars(text("SELECT lock FROM procrastinate_jobs ORDER BY id")))
    assert keys == [f"{run}:RingBell:north", f"{run}:RingBell:south"]
    assert groups == [f"effect:{run}:bell:"] * 2

    for effect in stored:
        await work_on(workshop, effect)
    assert rung == ["north", "south"]

    story = await told(workshop, run)
    assert [(act.name, act.state) for act in story.effects] == [("ring the bell", "done")] * 2
    console = Console(file=StringIO(), width=200)
    story_printer.story(console, story)
    assert "ring the bell" in console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    page = run_page(story, jira_url="https://jira", gitlab_url="https://gitlab")
    assert "<li>ring the bell, 2 times</li>" in str(page.content)


async def test_a_run_that_needs_it_is_given_to_people_when_it_is_refused(
    workshop: Workshop, run: RunId, wanted: Any
) -> None:
    (effect,) = await wanted(run, RingBell(office="locked"))
    await work_on(workshop, effect)
    story = await told(workshop, run)
    assert story.run.status == "escalated"
    assert story.run.reason.startswith("The bell could not be rung: The office is locked.")
    assert [act.state for act in story.effects if act.kind == "RingBell"] == ["given_up"]


async def test_the_sweep_finds_it_when_the_queue_lost_it(workshop: Workshop, run: RunId, wanted: Any) -> None:
    link = LinkTicket(global_id="x", url="https://gitlab", title="A link")
    bell, linked = await wanted(run, RingBell(office="north"), link)
    async with workshop.database.begin() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
        now = workshop.setting.clock()
        found = await outbox.orphans(session, now=now, table=workshop.setting.effects)
    assert found == [(bell, f"effect:{run}:bell:"), (linked, f"effect:{run}:link:")]
