"""The sweep: puts back what got lost between a hook, the queue and GitLab. Runs outside of the queue and its locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import procrastinate
import structlog
from procrastinate.jobs import Status

from pipelines.language import ProjectPath
from receiver import limits
from receiver.store.deliveries import stored_deliveries
from receiver.store.effects import outbox
from receiver.store.jobs import unreported
from receiver.store.money import ledger
from receiver.store.postgres import retention
from receiver.store.postgres.queue import enqueue_delivery, enqueue_effect
from receiver.store.run import episodes, fix_outcomes, overdue
from receiver.worker.effect_task import Workshop
from receiver.worker.event_handler import handle
from receiver.worker.turn_offers import offer
from receiver.workflow.effects import MergeWhenReady, PollGitLab, PollTicket, SettleReports, WatchOutcome
from receiver.workflow.events.run_events import DeadlinePassed
from receiver.workflow.run import RunStatus

log = structlog.get_logger()


SILENT = (
    (RunStatus.RUNNING, limits.JOBS_SILENT, False),
    (RunStatus.RUNNING, limits.RUN_SILENT, True),
    (RunStatus.IN_REVIEW, limits.REVIEW_SILENT, False),
)
"""After how long without a hook GitLab is asked about a run of a status, and whether only for its pipeline's end."""


async def revive(app: procrastinate.App) -> int:
    """Give the jobs of dead workers back to the queue; return how many."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=limits.WORKER_STALLED_S))
    for job in stalled:
        if job.status == Status.DOING.value:
            await app.job_manager.retry_job(job)
            log.warning("job.revived", job=job.id, task=job.task_name)
    return len(stalled)


async def sweep(workshop: Workshop) -> None:
    """Push what needs a push, once."""
    now = workshop.setting.clock()
    async with workshop.database.begin() as session:
        for row in await stored_deliveries.orphans(session, before=now - limits.DELIVERY_LOST):
            await enqueue_delivery(session, row.id, ordering_key=row.ordering_key)
        for effect, group in await outbox.orphans(session, now=now, table=workshop.setting.effects):
            await enqueue_effect(session, effect, group=group)
        late = await overdue.deadlines(session, now=now)
        unsettled = await overdue.unsettled(session, before=now - limits.REPORT_UNSETTLED)
        for run, iteration in [*unsettled, *await unreported.runs(session, before=now - limits.REPORT_UNSETTLED)]:
            wanted = (SettleReports(iteration=iteration),)
            await outbox.store(session, run, wanted, decision=None, origin=f"sweep:{now.isoformat()}", now=now)
        for status, patience, only_end in SILENT:
            before = now - patience
            for run, iteration in await overdue.silent(session, status, before=before, wholly=not only_end):
                asked = (PollGitLab(iteration=iteration, asks_for_end=only_end),)
                await outbox.store(session, run, asked, decision=None, origin=f"sweep:{now.isoformat()}", now=now)
        for run in await overdue.unread(session, before=now - limits.TICKET_UNHEARD, ended=now - limits.RUN_FOLLOWED):
            await outbox.store(session, run, (PollTicket(),), decision=None, origin=f"sweep:{now.isoformat()}", now=now)
        for run, iteration, repository in await overdue.unmerged(session, before=now - limits.MERGE_LOOKED_AT):
            look = (MergeWhenReady(iteration=iteration, repository=ProjectPath(repository)),)
            await outbox.store(
                session, run, look, decision=None, origin=f"sweep:{now.isoformat()}:{repository}", now=now
            )
        every, until = limits.OUTCOME_LOOKED_AT, limits.OUTCOME_WATCHED
        for run, repository in await fix_outcomes.unwatched(session, now=now, every=every, until=until):
            watch = (WatchOutcome(repository=ProjectPath(repository)),)
            await outbox.store(
                session, run, watch, decision=None, origin=f"sweep:{now.isoformat()}:{repository}", now=now
            )
        await ledger.hold_abandoned(session, before=now - limits.CALL_ABANDONED, at=now)
        await episodes.refresh(session, now=now)
    for run, late_status in late:
        with _alone("deadline", run=run):
            async with workshop.database.begin() as session:
                await handle(session, DeadlinePassed(status=late_status), setting=workshop.setting, run=run)
    with _alone("turns"):
        await offer(workshop.database, setting=workshop.setting)
    with _alone("retention"):
        async with workshop.database.begin() as session:
            await retention.expired(session, retention=workshop.retention, now=now)


@contextmanager
def _alone(step: str, **facts: str) -> Iterator[None]:
    """Do a step that keeps no other from being done: what goes wrong is logged, and the next sweep tries again."""
    try:
        yield
    except Exception:
        log.exception("sweep.step_broke", step=step, **facts)
