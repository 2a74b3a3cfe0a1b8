"""The queue of runs on a real Postgres, with a clock that the test moves and a GitLab that it plays."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from pipelines.language import IssueKey, ProjectPath, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import Concurrency
from pipelines.language.wire import Ticket
from receiver import limits
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.errors import RefusedError
from receiver.outbound.faults import NoFaults
from receiver.store.admissions import contenders
from receiver.store.postgres.database import Database
from receiver.store.postgres.retention import Retention
from receiver.store.schema import DecisionRow, EffectRow, RunRow
from receiver.store.story import overview
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.event_handler import Setting, handle
from receiver.worker.sweep import sweep
from receiver.worker.turn_offers import offer
from receiver.workflow import lifecycle
from receiver.workflow.effect_table import EFFECTS, EffectTable
from receiver.workflow.effects import AdmitTicket, OfferTurn, StartPipeline
from receiver.workflow.events.pipeline_events import PipelineChanged, PipelineId, PipelineStarted
from receiver.workflow.events.run_events import TurnOffered
from receiver.workflow.events.ticket_events import IssueLabelled, TicketAdmitted, TicketRefused
from receiver.workflow.person import AccountId

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

CONTACTS = ProjectPath("payk12/contacts")
UNASKED = EffectTable(replace(rule, tells=None) for rule in EFFECTS.rules.values())
"""The table of effects, without the question whether the ticket is restricted: there is no Jira here."""


class Storm:
    """Tickets labelled at once, jobs that end when the test says so."""

    def __init__(self, database: Database, setting: Setting, clock: Any) -> None:
        self.database, self.clock = database, clock
        self.pipelines = count(100)
        self.alive: set[PipelineId] = set()
        """Pipelines that GitLab has begun and that have not ended."""
        self.most = 0
        """As many as there ever were at a time."""
        self.unlabelled: set[RunId] = set()
        self.deleted: set[RunId] = set()
        days = timedelta(days=30)
        self.workshop = Workshop(
            database=database,
            desk=Desk(**dict.fromkeys(Desk.__struct_fields__) | {"database": database, "faults": NoFaults()}),
            setting=replace(setting, effects=UNASKED),
            retention=Retention(deliveries=days, transcripts=days),
            performers={
                AdmitTicket: self._admit,
                OfferTurn: self._offer,
                StartPipeline: self._start,
            },
        )

    async def _admit(self, _desk: Desk, _run: RunId, effect: AdmitTicket) -> Performed:
        ticket = Ticket(
            key=effect.issue_key, summary="Saving a contact fails", description="With an error.", labels=("bug-fix",)
        )
        return Performed(
            events=(TicketAdmitted(ticket=ticket, base_shas={CONTACTS: "a" * 40}, catalogue_sha256="0" * 64),)
        )

    async def _offer(self, _desk: Desk, run: RunId, _effect: OfferTurn) -> Performed:
        if run in self.deleted:
            raise RefusedError("Jira has no such ticket.")
        gone = TicketRefused(reason="The label was removed.", actor=AccountId("mara"))
        return Performed(events=(gone if run in self.unlabelled else TurnOffered(),))

    async def _start(self, _desk: Desk, _run: RunId, effect: StartPipeline) -> Performed:
        made = PipelineId(next(self.pipelines))
        self.alive.add(made)
        self.most = max(self.most, len(self.alive))
        return Performed(
            events=(PipelineStarted(iteration=effect.iteration, project_id=1, pipeline=made, url="https://gitlab"),)
        )

    async def label(self, number: int, person: str, *, project: str = "PL") -> None:
        event = IssueLabelled(
            issue_key=IssueKey(f"{project}-{number}"), actor=AccountId(person), actor_name=person.title()
        )
        async with self.database.begin() as session:
            await handle(session, event, setting=self.workshop.setting)

    async def settle(self) -> None:
        """Perform effects, four at a time, until none is pending; those that no test here asks about are dropped."""
        kinds = [kind.__name__ for kind in (AdmitTicket, OfferTurn, StartPipeline)]
        while True:
            async with self.database.begin() as session:
                await session.execute(update(EffectRow).where(EffectRow.kind.not_in(kinds)).values(state="done"))
                pending = list(
                    await session.scalars(
                        select(EffectRow.id).where(EffectRow.state == "pending").order_by(EffectRow.id).limit(4)
                    )
                )
            if not pending:
                return
            await asyncio.gather(*(work_on(self.workshop, effect) for effect in pending))

    async def end(self, run: RunRow, *, offers: bool = True) -> None:
        """Cancel the run's pipeline, as a person does in GitLab; without `offers` the worker dies right after."""
        self.alive.remove(await self.pipeline_of(run))
        async with self.database.begin() as session:
            event = PipelineChanged(
                project_id=1,
                project=ProjectPath("payk12/bug-fix"),
                pipeline=await self.pipeline_of(run),
                status="canceled",
                source="api",
                parent=None,
                url="",
                ref="main",
                sha="a" * 40,
                created_at=None,
                finished_at=None,
            )
            handled = await handle(session, event, setting=self.workshop.setting)
        assert handled.ends_turn
        if offers:
            await offer(self.database, setting=self.workshop.setting)

    async def pipeline_of(self, run: RunRow) -> PipelineId:
        async with self.database.begin() as session:
            told = await session.scalar(
                select(DecisionRow.event).where(
                    DecisionRow.run_id == run.id, DecisionRow.event_kind == "PipelineStarted"
                )
            )
        assert told is not None
        return PipelineId(told["pipeline"])

    async def of_status(self, *statuses: str) -> list[RunRow]:
        async with self.database.begin() as session:
            query = select(RunRow).where(RunRow.status.in_(statuses)).order_by(RunRow.status_at, RunRow.id)
            return list(await session.scalars(query))

    async def at_work(self) -> list[RunRow]:
        return await self.of_status(*lifecycle.AT_WORK)


@pytest.fixture
def storm(database: Database, setting: Setting, clock: Any, catalogue: Catalogue) -> Callable[..., Storm]:
    def begin(**concurrency: int) -> Storm:
        policy = replace(catalogue.policy, concurrency=Concurrency(**concurrency))
        return Storm(database, replace(setting, catalogue=replace(catalogue, policy=policy)), clock)

    return begin


async def test_50_tickets_labelled_at_once_by_two_people_never_have_more_pipelines_than_allowed_and_all_end(
    storm: Callable[..., Storm],
) -> None:
    world = storm(all=3, person=2)
    allowed = world.workshop.setting.catalogue.policy.concurrency
    await asyncio.gather(*(world.label(n, "mara" if n < 25 else "dana") for n in range(50)))
    await world.settle()
    begun: list[str] = []
    while at_work := await world.at_work():
        of = Counter(str(run.actor) for run in at_work)
        assert len(at_work) <= allowed.all
        assert max(of.values()) <= allowed.person
        assert len(at_work) == 3 or len(begun) > 44  # then only one person's are left
        world.clock.pass_(timedelta(minutes=1))
        begun.append(str(at_work[0].actor))
        await world.end(at_work[0])
        await world.settle()
    assert Counter(begun) == {"mara": 25, "dana": 25}
    ahead = [sum(1 if who == "mara" else -1 for who in begun[:end]) for end in range(1, 51)]
    assert max(map(abs, ahead)) <= 2
    assert len(await world.of_status("cancelled")) == 50
    assert (world.most, world.alive) == (allowed.all, set())


async def test_the_position_is_shown_live_and_only_the_head_of_the_queue_is_told_anew(
    storm: Callable[..., Storm],
) -> None:
    world = storm(all=1)
    for number in range(6):
        await world.label(number, "mara")
        await world.settle()
        world.clock.pass_(timedelta(minutes=1))
    async with world.database.begin() as session:
        seen = {run.issue_key: run.place for run in await overview.recent(session, limit=10)}
    assert (seen["PL-0"], seen["PL-1"], seen["PL-3"]) == ("", "1st in the queue", "3rd in the queue")
    (first,) = await world.at_work()
    await world.end(first)
    async with world.database.begin() as session:
        told = set(
            await session.scalars(
                select(RunRow.issue_key)
                .join(EffectRow, EffectRow.run_id == RunRow.id)
                .where(EffectRow.kind == "UpdateTicketNote", EffectRow.state == "pending", RunRow.status == "queued")
            )
        )
    assert told == {"PL-2", "PL-3", "PL-4"}


async def test_a_turn_that_a_dying_worker_did_not_offer_is_offered_by_the_sweep_and_only_once(
    storm: Callable[..., Storm],
) -> None:
    world = storm(all=1)
    for number, person in enumerate(("mara", "dana")):
        await world.label(number, person)
        await world.settle()
    (first,) = await world.at_work()
    await world.end(first, offers=False)
    await world.settle()
    assert await world.at_work() == []
    await sweep(world.workshop)
    world.clock.pass_(timedelta(seconds=30))
    await sweep(world.workshop)
    async with world.database.begin() as session:
        offers = list(await session.scalars(select(EffectRow.state).where(EffectRow.kind == "OfferTurn")))
    assert offers == ["pending"]
    await world.settle()
    assert [run.issue_key for run in await world.at_work()] == ["PL-1"]


async def test_a_queued_run_whose_label_was_removed_is_withdrawn_and_the_next_one_begins(
    storm: Callable[..., Storm],
) -> None:
    world = storm(all=1)
    for number in range(3):
        await world.label(number, "mara")
        await world.settle()
        world.clock.pass_(timedelta(minutes=1))
    (first,) = await world.at_work()
    queued = await world.of_status("queued")
    world.unlabelled = {RunId(queued[0].id)}
    await world.end(first)
    await world.settle()
    assert [run.issue_key for run in await world.of_status("refused")] == ["PL-1"]
    assert [run.issue_key for run in await world.at_work()] == ["PL-2"]


async def test_a_queued_run_whose_ticket_is_gone_ends_and_the_same_persons_next_one_begins(
    storm: Callable[..., Storm],
) -> None:
    world = storm(all=2, person=1)
    for number in range(3):
        await world.label(number, "mara")
        await world.settle()
        world.clock.pass_(timedelta(minutes=1))
    (first,) = await world.at_work()
    queued = await world.of_status("queued")
    world.deleted = {RunId(queued[0].id)}
    await world.end(first)
    await world.settle()
    (given_up,) = await world.of_status("escalated")
    assert (given_up.issue_key, given_up.reason_code) == ("PL-1", "gave_up")
    assert [run.issue_key for run in await world.at_work()] == ["PL-2"]
    await sweep(world.workshop)
    async with world.database.begin() as session:
        offers = Counter(await session.scalars(select(EffectRow.state).where(EffectRow.kind == "OfferTurn")))
    assert offers == {"given_up": 1, "done": 1}


async def test_an_ended_runs_pipeline_counts_until_gitlab_says_that_it_is_over_but_not_for_ever(
    storm: Callable[..., Storm],
) -> None:
    world = storm(all=1)
    await world.label(0, "mara")
    await world.settle()
    (first,) = await world.at_work()
    async with world.database.begin() as session:
        row = await session.get_one(RunRow, first.id)
        row.status, row.status_at, row.deadline = "escalated", world.clock.now, None
    await world.label(1, "dana")
    await world.settle()
    assert await world.at_work() == []
    world.clock.pass_(limits.PIPELINE_LEFT_BEHIND)
    await sweep(world.workshop)
    await world.settle()
    assert [run.issue_key for run in await world.at_work()] == ["PL-1"]


async def test_a_limit_of_a_jira_project_holds_back_only_its_own_tickets(storm: Callable[..., Storm]) -> None:
    world = storm(all=9, project=1, person=9)
    for number in range(2):
        for project in ("PL", "OPS"):
            await world.label(number, "mara", project=project)
    await world.settle()
    assert sorted(run.issue_key.split("-")[0] for run in await world.at_work()) == ["OPS", "PL"]
    async with world.database.begin() as session:
        assert len(await contenders.positions(session)) == 2
