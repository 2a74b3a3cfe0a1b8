"""Run a worker: procrastinate's loop over the queue, and beside it the sweep."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext, JobResult
from procrastinate.jobs import DeleteJobCondition, Job, Notification, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.worker import Worker

from receiver import limits
from receiver.store.postgres.database import Database
from receiver.store.postgres.queue import DELIVERIES, EFFECTS, PERFORM_EFFECT, PROCESS_DELIVERY, URGENT
from receiver.worker.delivery_task import failed, process
from receiver.worker.effect_task import Workshop, work_on
from receiver.worker.hook_sweep import HOOKS
from receiver.worker.merge_request_sweep import MERGE_REQUESTS
from receiver.worker.searches import search
from receiver.worker.sweep import revive, sweep
from receiver.worker.ticket_sweep import TICKETS

log = structlog.get_logger()

SEARCHES: Final = (TICKETS, MERGE_REQUESTS, HOOKS)
"""What is searched for what no hook told."""


class Patience(BaseRetryStrategy):
    """Try again soon: tasks settle what they can by themselves, so what fails here is the database or a bug."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when to try again; never at all after a verdict was given."""
        if isinstance(exception, GivenUpError):
            return None
        return RetryDecision(retry_in={"seconds": min(2**job.attempts, limits.QUEUE_RETRY_S)})


class GivenUpError(Exception):
    """A job that must not be tried again; what it was for has its verdict."""


class EagerWorker(Worker):
    """Looks for the next job whenever one has come or ended since it last began to look.

    The queue tells of new jobs only, so what waited for a lock would wait for the next poll. And the base class forgets
    after each look what it was told meanwhile, also of jobs that were committed too late for that look to see them.
    """

    _wake_ups = 0

    async def _handle_notification(self, *, channel: str, notification: Notification) -> None:
        self._wake_ups += 1
        await super()._handle_notification(channel=channel, notification=notification)

    async def _persist_job_status(
        self,
        job: Job,
        status: Status,
        retry_decision: RetryDecision | None,
        context: JobContext,
        job_result: JobResult | None,
    ) -> None:
        await super()._persist_job_status(job, status, retry_decision, context, job_result)
        self._wake_ups += 1
        self._new_job_event.set()

    async def _fetch_and_process_jobs(self) -> None:
        known = self._wake_ups
        await super()._fetch_and_process_jobs()  # type: ignore[no-untyped-call]  # the package leaves it so
        if self._wake_ups != known:
            self._new_job_event.set()


def queue_app(workshop: Workshop) -> procrastinate.App:
    """Return the queue with its tasks."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=workshop.database.conninfo, max_size=8))

    @app.task(name=PROCESS_DELIVERY, queue=DELIVERIES, retry=Patience())
    async def process_delivery(delivery_id: int) -> None:
        try:
            await process(workshop.database, delivery_id, setting=workshop.setting)
        except Exception as error:
            log.exception("delivery.broke", delivery=delivery_id)
            if await failed(workshop.database, delivery_id, error=error, setting=workshop.setting):
                raise GivenUpError(delivery_id) from error
            raise

    @app.task(name=PERFORM_EFFECT, queue=EFFECTS, retry=Patience())
    async def perform_effect(effect_id: int) -> None:
        await work_on(workshop, effect_id)

    return app


async def run(workshop: Workshop, *, concurrency: int, sweep_every: float) -> None:
    """Work until SIGTERM or SIGINT; what is under way is finished first. Outlives the loss of the database."""
    app = queue_app(workshop)
    async with app.open_async():
        helpers = [
            asyncio.create_task(_again_and_again(lambda: revive(app), every=limits.REVIVE_EVERY_S)),
            asyncio.create_task(_again_and_again(lambda: _sweep_alone(workshop), every=sweep_every)),
            *(
                asyncio.create_task(_again_and_again(partial(search, workshop, row), every=row.every_s))
                for row in SEARCHES
            ),
        ]
        log.info("worker.started", concurrency=concurrency)
        try:
            while not await _stopped_by_signal(app, concurrency):
                pass
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
        log.info("worker.stopped")


async def _stopped_by_signal(app: procrastinate.App, concurrency: int) -> bool:
    """Work until told to stop, True; or until the database is lost, False: the queue's own worker ends with that.

    A second one works on what is urgent only, however many slow requests keep the first one busy; should it end alone,
    the first one does that, too.
    """
    ordinary = _worker(app, [DELIVERIES, EFFECTS, URGENT], concurrency, ends_by_signal=True)
    urgent = _worker(app, [URGENT], limits.URGENT_AT_ONCE, ends_by_signal=False)
    lane = asyncio.create_task(_run(urgent))
    try:
        return await _run(ordinary)
    finally:
        urgent.stop()  # type: ignore[no-untyped-call]  # the package leaves it so
        await asyncio.gather(lane, return_exceptions=True)


def _worker(app: procrastinate.App, queues: list[str], concurrency: int, *, ends_by_signal: bool) -> EagerWorker:
    return EagerWorker(
        app=app,
        queues=queues,
        name="+".join(queues),
        concurrency=concurrency,
        delete_jobs=DeleteJobCondition.ALWAYS,  # history is ours; finished jobs slow the queue down
        update_heartbeat_interval=limits.WORKER_HEARTBEAT_S,
        fetch_job_polling_interval=1.0,
        shutdown_graceful_timeout=30.0,
        install_signal_handlers=ends_by_signal,
    )


async def _run(worker: EagerWorker) -> bool:
    """Let a worker work; False when the database was lost."""
    try:
        await worker.run()  # type: ignore[no-untyped-call]  # the package leaves it so
    except (ConnectorException, psycopg.Error, OSError) as error:
        log.warning("worker.lost_database", reason=f"{type(error).__name__}: {error.__cause__ or error}")
        await asyncio.sleep(limits.RECONNECT_S)
        return False
    return True


async def _sweep_alone(workshop: Workshop) -> None:
    database: Database = workshop.database
    async with database.exclusive("sweep") as is_ours:
        if is_ours:
            await sweep(workshop)


async def _again_and_again(act: Callable[[], Awaitable[object]], *, every: float) -> None:
    while True:
        try:
            await act()
        except Exception:
            log.exception("sweep.broke")  # the database was away, for example; the next round tries again
        await asyncio.sleep(every)
