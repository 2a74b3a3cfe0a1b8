"""A run in the real store that is told events one after the other, in one transaction that nobody commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import Phase, RunId
from receiver.store.run import runs
from receiver.store.schema import EffectRow, ReportRow
from receiver.worker.event_handler import Setting, handle
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.message_events import IssueCommented, NotePosted
from receiver.workflow.events.pipeline_events import JobChanged, JobId, PipelineChanged, ReportAccepted, ReportDiscarded
from receiver.workflow.events.run_events import NotInteresting
from receiver.workflow.events.ticket_events import IssueLabelled, IssueRestricted, LabelChanged, StartRequested
from receiver.workflow.run import Decision, Run
from tests.receiver.workflow.conftest import World
from tests.reports import stored

RUN = RunId("0123456789abcdef")

OF_VENDORS = (
    IssueLabelled
    | LabelChanged
    | StartRequested
    | IssueRestricted
    | IssueCommented
    | PipelineChanged
    | JobChanged
    | MergeRequestChanged
    | NotePosted
    | NotInteresting
)
"""Events whose run is looked up; that of all others is known, because an effect or the sweep brings them."""


class ToldRun:
    """A run, and what tests do with it. The transaction is the caller's."""

    def __init__(self, session: AsyncSession, setting: Setting) -> None:
        self.session = session
        self.setting = setting

    async def tell(self, *events: Event, run: RunId = RUN) -> list[Decision]:
        """Let events be handled in this order; a report that is settled has arrived before."""
        decisions = []
        for event in events:
            if isinstance(event, ReportAccepted | ReportDiscarded):
                await self.arrived(event)
            known = None if isinstance(event, OF_VENDORS) else run
            decisions.append((await handle(self.session, event, setting=self.setting, run=known)).decision)
        return decisions

    async def arrived(self, event: ReportAccepted | ReportDiscarded) -> None:
        """Let the report be stored as the job API stores it, unless it is."""
        if await self.session.scalar(select(ReportRow.id).where(ReportRow.job_id == event.job)) is None:
            row = stored(event.report, job=event.job, at=self.setting.clock(), state="pending")
            self.session.add(row)
            await self.session.flush()

    async def view(self, run: RunId = RUN) -> Run:
        """Return the run as the core sees it, read from the tables."""
        await self.session.flush()
        self.session.expire_all()
        return await runs.load(self.session, await runs.hold(self.session, run))

    async def effects(self, run: RunId = RUN) -> list[str]:
        """Return the kinds of all effects that were stored, in order."""
        kinds = select(EffectRow.kind).where(EffectRow.run_id == run).order_by(EffectRow.id)
        return list(await self.session.scalars(kinds))

    async def every_order(self, events: Sequence[Event], *, last: Sequence[Event] = ()) -> AsyncIterator[Run]:
        """Yield the run after each order of these events, `last` behind them. Orders share what they begin with."""
        if not events:
            async with self.taken_back():
                await self.tell(*last)
                yield await self.view()
        for position, event in enumerate(events):
            async with self.taken_back():
                await self.tell(event)
                rest = [*events[:position], *events[position + 1 :]]
                async for end in self.every_order(rest, last=last):
                    yield end

    @asynccontextmanager
    async def taken_back(self) -> AsyncIterator[None]:
        """Take back all that happens in the block."""
        savepoint = await self.session.begin_nested()
        yield
        await savepoint.rollback()
        self.session.expire_all()


def running(world: World) -> tuple[Event, ...]:
    """Return what brings a run to work, its child pipeline included."""
    child = world.pipeline("created", pipeline=world.child, parent=world.parent)
    return (world.labelled(), world.admitted(), world.started(), child)


def opening(world: World) -> tuple[Event, ...]:
    """Return what brings a run on from there to the point where its merge request is being opened."""
    phases = [Phase.REPRODUCTION, Phase.IMPLEMENTATION, Phase.TESTING, Phase.MERGE_REQUEST]
    settled = [replace(world.accepted(phase), job=JobId(world.parent + 20 + n)) for n, phase in enumerate(phases)]
    return (replace(world.planned(), job=JobId(world.parent + 10)), *settled)
