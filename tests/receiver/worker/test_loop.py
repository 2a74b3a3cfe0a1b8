"""The worker finds what the queue told it of, also when it was told while it was looking."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import procrastinate
import pytest
from procrastinate.connector import Notify

from receiver.store.postgres.database import Database
from receiver.store.postgres.queue import DELIVERIES, EFFECTS, URGENT
from receiver.worker import loop
from receiver.worker.loop import EagerWorker

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

LISTENING = """
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle' AND query LIKE %(told)s
"""


class LateAnswers(procrastinate.PsycopgConnector):
    """A queue whose answer that there is nothing to do arrives after what happened since it was made, once."""

    def __init__(self, conninfo: str) -> None:
        super().__init__(conninfo=conninfo)
        self.told = asyncio.Event()
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        answer = await super().execute_query_one_async(query, **arguments)
        if "procrastinate_fetch_job" in query and answer["id"] is None and self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            await happens()
        return answer

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        async def told(*, channel: str, payload: str) -> None:
            await on_notification(channel=channel, payload=payload)
            self.told.set()

        await super().listen_notify(told, channels)


class Desk:
    """A queue, a worker that hardly ever polls it, and tasks that tell when they ran."""

    def __init__(self, conninfo: str) -> None:
        self.queue = LateAnswers(conninfo)
        self.app = procrastinate.App(connector=self.queue)
        self.worker = EagerWorker(
            app=self.app,
            queues=["work"],
            concurrency=3,
            fetch_job_polling_interval=3600.0,
            install_signal_handlers=False,
        )
        self.ran: dict[str, asyncio.Event] = {name: asyncio.Event() for name in ("first", "second")}
        self.hold = asyncio.Event()

        @self.app.task(name="do", queue="work")
        async def do(name: str, *, is_held: bool) -> None:
            self.ran[name].set()
            if is_held:
                await self.hold.wait()

    async def defer(self, name: str, *, lock: str | None = None, is_held: bool = False) -> None:
        job = self.app.configure_task("do", queue="work", lock=lock)
        await job.defer_async(name=name, is_held=is_held)

    async def listens(self) -> None:
        while not await self.queue.execute_query_all_async(LISTENING, told="%LISTEN%work%"):  # noqa: ASYNC110  # PostgreSQL tells nobody who listens
            await asyncio.sleep(0.01)


async def works(desk: Desk, until: Awaitable[object]) -> None:
    async with desk.app.open_async(), asyncio.timeout(60):
        working = asyncio.create_task(desk.worker.run())
        await until
        desk.worker.stop()
        await working


async def test_a_job_that_comes_while_the_worker_looks_for_one_does_not_wait_for_the_next_poll(
    database: Database,
) -> None:
    desk = Desk(database.conninfo)

    async def comes() -> None:
        await desk.listens()
        await desk.defer("first")
        await desk.queue.told.wait()

    desk.queue.meanwhile = comes
    await works(desk, desk.ran["first"].wait())


async def test_a_job_whose_lock_is_let_go_while_the_worker_looks_for_one_does_not_wait_for_the_next_poll(
    database: Database,
) -> None:
    desk = Desk(database.conninfo)

    async def ends() -> None:
        desk.hold.set()
        await asyncio.wait(desk.worker._running_jobs)

    desk.queue.meanwhile = ends
    async with desk.app.open_async():
        await desk.defer("first", lock="one", is_held=True)
        await desk.defer("second", lock="one")
    await works(desk, desk.ran["second"].wait())


async def test_what_is_urgent_does_not_wait_for_a_worker_that_has_its_hands_full(database: Database) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=database.conninfo, max_size=8))
    hold, busy, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @app.task(name="slow", queue=EFFECTS)
    async def slow() -> None:
        busy.set()
        await hold.wait()

    @app.task(name="cancel", queue=URGENT)
    async def cancel() -> None:
        done.set()

    ordinary = loop._worker(app, [DELIVERIES, EFFECTS, URGENT], 1, ends_by_signal=False)
    urgent = loop._worker(app, [URGENT], 1, ends_by_signal=False)
    async with app.open_async(), asyncio.timeout(60):
        working = [asyncio.create_task(one.run()) for one in (ordinary, urgent)]
        await app.configure_task("slow", queue=EFFECTS).defer_async()
        await busy.wait()
        await app.configure_task("cancel", queue=URGENT).defer_async()
        await done.wait()
        hold.set()
        for one in (ordinary, urgent):
            one.stop()
        await asyncio.gather(*working)
