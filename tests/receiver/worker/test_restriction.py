"""A security level that people set while a run works, as a worker finds it out before it tells anything."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from pipelines.language import IssueKey, ProjectPath, RunId
from pipelines.language.wire import Ticket
from receiver.outbound.effects.desk import Desk
from receiver.outbound.gitlab.commits_api import Commits
from receiver.outbound.gitlab.connection import Connection
from receiver.store.effects import outbox
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.run import runs
from receiver.store.schema import DecisionRow, EffectRow, MergeRequestRow
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting, handle
from receiver.workflow.effects import (
    AskReporter,
    AttachEvidence,
    Effect,
    OpenMergeRequest,
    StartPipeline,
    UpdateMergeRequestNote,
    UpdateTicketNote,
)
from receiver.workflow.end_codes import EndCode
from receiver.workflow.events.event import Event
from receiver.workflow.events.ticket_events import IssueLabelled, IssueRestricted, TicketAdmitted
from receiver.workflow.person import AccountId
from tests.changes import file_change
from tests.receiver.outbound.test_merge_requests import plan, readme, tidy

__all__ = ["tidy"]

pytestmark = [pytest.mark.integration, pytest.mark.anyio, pytest.mark.usefixtures("tidy")]

CONTACTS = ProjectPath("payk12/contacts")
OPEN = OpenMergeRequest(iteration=1, repository=CONTACTS)


@pytest.fixture
def workshop(database: Database, desk: Desk, setting: Setting) -> Workshop:
    days = timedelta(days=30)

    def clock() -> datetime:
        return datetime.now(UTC)

    return Workshop(
        database=database,
        desk=replace(desk, clock=clock),
        setting=replace(setting, clock=clock),
        retention=Retention(deliveries=days, transcripts=days),
    )


async def do(workshop: Workshop, run: RunId, effect: Effect) -> EffectRow:
    """Perform an effect; return what is kept of it."""
    async with workshop.database.begin() as session:
        origin = f"test:{datetime.now(UTC)}"
        stored = await outbox.store(session, run, (effect,), decision=None, origin=origin, now=datetime.now(UTC))
        same = select(EffectRow.id).where(EffectRow.kind == type(effect).__name__).order_by(EffectRow.id.desc())
        number = stored[0] if stored else await session.scalar(same.limit(1))
    assert number is not None
    await work_on(workshop, number)
    async with workshop.database.begin() as session:
        return await session.get_one(EffectRow, number)


async def follow(workshop: Workshop, run: RunId) -> None:
    """Perform all effects of a run that are to be performed."""
    for _ in range(5):
        async with workshop.database.begin() as session:
            waiting = select(EffectRow.id).where(EffectRow.run_id == run, EffectRow.state == "pending")
            numbers = list(await session.scalars(waiting.order_by(EffectRow.id)))
        for number in numbers:
            await work_on(workshop, number)


async def is_confidential(workshop: Workshop, run: RunId) -> bool:
    async with workshop.database.begin() as session:
        return not (await runs.facts(session, run)).audience.is_public


async def decisions(workshop: Workshop, run: RunId) -> list[DecisionRow]:
    """Return what was decided on restrictions."""
    query = select(DecisionRow).where(DecisionRow.run_id == run, DecisionRow.event_kind == "IssueRestricted")
    async with workshop.database.begin() as session:
        return list(await session.scalars(query.order_by(DecisionRow.id)))


@pytest.fixture
async def ready(workshop: Workshop, run: RunId, submit: Any, world: Any) -> RunId:
    """Give a run whose fix is to be opened, and is about tokens."""
    await submit(run, file_change("README.md", readme(world), readme(world) + "\nFixed.\n"))
    await plan(workshop.desk, run, "Keep tokens out of the log", "Tokens are logged.")
    async with workshop.database.begin() as session:
        (await runs.hold(session, run)).status = "opening"
    return run


async def request_of(workshop: Workshop, run: RunId, world: Any) -> Any:
    async with workshop.database.begin() as session:
        iid = await session.scalar(select(MergeRequestRow.iid).where(MergeRequestRow.run_id == run))
    return None if iid is None else world.contacts.mergerequests.get(iid)


def said(request: Any) -> str:
    return " ".join([request.title, request.description, *(note.body for note in request.notes.list(get_all=True))])


async def test_a_ticket_without_a_level_is_told_of_as_ever(workshop: Workshop, ready: RunId, world: Any) -> None:
    assert (await do(workshop, ready, OPEN)).state == "done"
    assert await decisions(workshop, ready) == []
    assert (await request_of(workshop, ready, world)).title == "PL-479: Keep tokens out of the log"


async def test_a_level_that_no_hook_told_of_stops_the_run_before_its_merge_request_is_opened(
    workshop: Workshop, ready: RunId, world: Any
) -> None:
    world.restrict()
    opening = await do(workshop, ready, OPEN)
    await follow(workshop, ready)
    assert (opening.state, await request_of(workshop, ready, world)) == ("superseded", None)
    (decided,) = await decisions(workshop, ready)
    assert (decided.effect_id, decided.status_after) == (opening.id, "escalated")
    assert "security level Reporters and developers" in decided.reason
    async with workshop.database.begin() as session:
        assert (await runs.hold(session, ready)).reason_code == EndCode.RESTRICTED


class ActsAt:
    """Reaches fault points, and lets something happen at one of them."""

    def __init__(self, point: str, act: Callable[[], object]) -> None:
        self._point, self._act = point, act

    def reach(self, point: str) -> None:
        if point == self._point:
            self._act()


class ActsWhileRead(Commits):
    """Lets something happen when the first file of a commit is read."""

    def __init__(self, connection: Connection, act: Callable[[], object]) -> None:
        super().__init__(connection)
        self._acts = [act]

    def file(self, project_id: int, path: str, *, ref: str) -> bytes | None:
        if self._acts:
            self._acts.pop()()
        return super().file(project_id, path, ref=ref)


async def restricted_by_hook(workshop: Workshop) -> None:
    async with workshop.database.begin() as session:
        event = IssueRestricted(issue_key=IssueKey("PL-479"), level="School boards only")
        await handle(session, event, setting=workshop.setting)


@pytest.mark.parametrize("hook", ["told", "lost"])
@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
async def test_a_level_that_is_set_while_the_merge_request_is_being_opened_stops_it(
    moment: str, hook: str, workshop: Workshop, ready: RunId, world: Any
) -> None:
    loop = asyncio.get_running_loop()

    def restrict() -> None:
        if hook == "lost":
            world.restrict()
        else:
            asyncio.run_coroutine_threadsafe(restricted_by_hook(workshop), loop).result(60)

    async with workshop.database.begin() as session:
        branch = (await runs.facts(session, ready)).branch
    with closing(Connection(world.facts["gitlab"]["url"], world.facts["gitlab"]["token"])) as writer:
        moments = {
            "before the commit": {"commits": ActsWhileRead(writer, restrict)},
            "after the commit": {"faults": ActsAt("OpenMergeRequest:after_push", restrict)},
        }
        opening = await do(replace(workshop, desk=replace(workshop.desk, **moments[moment])), ready, OPEN)
    assert (opening.state, await request_of(workshop, ready, world)) == ("superseded", None)
    assert world.contacts.mergerequests.list(source_branch=branch, get_all=True) == []
    assert bool(world.contacts.branches.list(search=branch, get_all=True)) is (moment == "after the commit")
    assert len(await decisions(workshop, ready)) == 1
    async with workshop.database.begin() as session:
        row = await runs.hold(session, ready)
        assert (row.status, row.reason_code) == ("escalated", EndCode.RESTRICTED)


async def test_while_jira_does_not_say_nothing_is_told(workshop: Workshop, ready: RunId, world: Any) -> None:
    away = {"path": "/rest/api/2/issue/PL-479", "status": 503}
    httpx2.post(f"{world.jira_url}/_sandbox/faults", json={"requests": [away]}, timeout=60).raise_for_status()
    waits = await do(workshop, ready, OPEN)
    assert (waits.state, await request_of(workshop, ready, world)) == ("pending", None)
    await work_on(workshop, waits.id)
    assert (await request_of(workshop, ready, world)).title == "PL-479: Keep tokens out of the log"


@pytest.mark.parametrize("status", [403, 404])
async def test_a_ticket_that_jira_does_not_show_us_any_more_counts_as_restricted(
    status: int, workshop: Workshop, ready: RunId, world: Any
) -> None:
    hidden = {"path": "/rest/api/2/issue/PL-479", "status": status}
    httpx2.post(f"{world.jira_url}/_sandbox/faults", json={"requests": [hidden]}, timeout=60).raise_for_status()
    assert (await do(workshop, ready, OPEN)).state == "superseded"
    assert await request_of(workshop, ready, world) is None
    (decided,) = await decisions(workshop, ready)
    assert decided.reason.startswith("Jira no longer shows us the ticket")


async def test_a_question_that_stands_on_the_ticket_is_taken_back(workshop: Workshop, ready: RunId, world: Any) -> None:
    async with workshop.database.begin() as session:
        (await runs.hold(session, ready)).status = "needs_information"
    await do(workshop, ready, AskReporter(iteration=1))
    async with workshop.database.begin() as session:
        event = IssueRestricted(issue_key=IssueKey("PL-479"), level="School boards only")
        await handle(session, event, setting=workshop.setting)
    await follow(workshop, ready)
    (question,) = [one["body"] for one in world.comments() if f"{ready};question:1" in one["body"]]
    assert question.startswith("This bug fix has become confidential.")


async def test_what_was_to_carry_on_a_stopped_run_is_not_performed_any_more(
    workshop: Workshop, ready: RunId, world: Any
) -> None:
    async with workshop.database.begin() as session:
        event = IssueRestricted(issue_key=IssueKey("PL-479"), level="School boards only")
        await handle(session, event, setting=workshop.setting)
    for effect in (OPEN, StartPipeline(iteration=1), AttachEvidence(iteration=1, repository=CONTACTS)):
        assert (await do(workshop, ready, effect)).state == "superseded"
    assert await request_of(workshop, ready, world) is None


@pytest.mark.parametrize("hook", ["told", "lost"])
async def test_a_run_that_ended_in_public_opens_nothing_once_its_ticket_is_restricted(
    hook: str, workshop: Workshop, ready: RunId, world: Any
) -> None:
    async with workshop.database.begin() as session:
        (await runs.hold(session, ready)).status = "escalated"
        if hook == "told":
            event = IssueRestricted(issue_key=IssueKey("PL-479"), level="School boards only")
            await handle(session, event, setting=workshop.setting)
    world.restrict()
    for effect in (OPEN, AttachEvidence(iteration=1, repository=CONTACTS)):
        assert (await do(workshop, ready, effect)).state == "superseded"
    assert await request_of(workshop, ready, world) is None


async def test_a_run_that_is_confidential_from_its_beginning_is_carried_on(
    workshop: Workshop, ready: RunId, world: Any
) -> None:
    async with workshop.database.begin() as session:
        (await runs.hold(session, ready)).confidential = True
        event = IssueRestricted(issue_key=IssueKey("PL-479"), level="School boards only")
        await handle(session, event, setting=workshop.setting)
    assert (await do(workshop, ready, OPEN)).state == "done"
    assert await request_of(workshop, ready, world) is not None


async def test_a_hook_takes_what_was_found_out_of_what_people_read_already(
    workshop: Workshop, ready: RunId, world: Any
) -> None:
    await do(workshop, ready, OPEN)
    await follow(workshop, ready)
    before = await request_of(workshop, ready, world)
    assert "oken" in said(before)
    async with workshop.database.begin() as session:
        event = IssueRestricted(issue_key="PL-479", level="School boards only")  # type: ignore[arg-type]  # a key is a string
        handled = await handle(session, event, setting=workshop.setting)
    assert handled.run == ready
    await follow(workshop, ready)
    after = await request_of(workshop, ready, world)
    assert (after.iid, after.title) == (before.iid, "PL-479: Fix")
    assert "This fix is confidential." in after.description
    ours = [note.body for note in after.notes.list(get_all=True) if not note.system]
    assert ours
    assert "oken" not in " ".join([after.title, after.description, *ours])
    comments = " ".join(one["body"] for one in world.comments() if str(ready) in one["body"])
    assert "oken" not in comments


async def test_once_confidential_always(workshop: Workshop, ready: RunId, world: Any) -> None:
    await do(workshop, ready, OPEN)
    world.restrict()
    await do(workshop, ready, UpdateTicketNote())
    world.jira("PUT", "/rest/api/2/issue/PL-479", {"fields": {"security": None}})
    await follow(workshop, ready)
    await do(workshop, ready, UpdateMergeRequestNote(repository=CONTACTS))
    assert await is_confidential(workshop, ready)
    assert len(await decisions(workshop, ready)) == 1
    assert "oken" not in said(await request_of(workshop, ready, world))


async def again(workshop: Workshop, ready: RunId) -> RunId:
    """Let a run that has its merge request open end with a person, and the label be set again."""
    async with workshop.database.begin() as session:
        (await runs.hold(session, ready)).status = "escalated"
        event = IssueLabelled(issue_key=IssueKey("PL-479"), actor=AccountId("5b10ac"), actor_name="Mara")
        fresh = replace(workshop.setting, new_run=lambda: RunId(secrets.token_hex(8)))
        handled = await handle(session, event, setting=fresh)
    assert handled.run not in {None, ready}
    assert handled.run is not None
    return handled.run


ADMITTED = TicketAdmitted(
    ticket=Ticket(key=IssueKey("PL-479"), summary="", description="", security_level="School boards only"),
    base_shas={},
    catalogue_sha256="0" * 64,
)
LABELLED = IssueLabelled(
    issue_key=IssueKey("PL-479"), actor=AccountId("5b10ac"), actor_name="Mara", level="School boards only"
)


@pytest.mark.parametrize(
    "event",
    [
        IssueRestricted(issue_key=IssueKey("PL-479"), level="School boards only"),
        pytest.param(ADMITTED, marks=pytest.mark.nightly),
        pytest.param(LABELLED, marks=pytest.mark.nightly),
    ],
)
async def test_a_level_counts_for_every_run_of_the_ticket_and_not_just_the_newest(
    event: Event, workshop: Workshop, ready: RunId, world: Any
) -> None:
    await do(workshop, ready, OPEN)
    await follow(workshop, ready)
    assert "oken" in (await request_of(workshop, ready, world)).title
    newest = await again(workshop, ready)
    async with workshop.database.begin() as session:
        handled = await handle(session, event, setting=workshop.setting)
        if handled.run is None:  # an admission is its run's own
            handled = await handle(session, event, setting=workshop.setting, run=newest)
    assert handled.run == newest
    assert await is_confidential(workshop, newest)
    assert await is_confidential(workshop, ready)
    await follow(workshop, ready)
    after = await request_of(workshop, ready, world)
    ours = [note.body for note in after.notes.list(get_all=True) if not note.system]
    assert "oken" not in " ".join([after.title, after.description, *ours])
    async with workshop.database.begin() as session:
        told = select(EffectRow.id).where(EffectRow.run_id == ready, EffectRow.kind == "UpdateTicketNote")
        decided = select(DecisionRow.id).where(DecisionRow.run_id == ready, DecisionRow.event_kind == "IssueRestricted")
        of_it = told.where(EffectRow.decision_id.in_(decided))
        assert await session.scalar(of_it) is None, "the ticket's comment tells of the newest run"
