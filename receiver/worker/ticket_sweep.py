"""The search of Jira for what no hook told: Data Center never repeats a hook, and Cloud gives up after five attempts.

One search finds labels, and tickets of runs that were changed: these are then looked at for comments.
"""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta
from typing import Final

import structlog

from pipelines.language import IssueKey, RunId
from receiver import limits
from receiver.outbound.jira.label_search import LabelSet
from receiver.store.deliveries import cursors
from receiver.store.effects import outbox
from receiver.store.run import heard_labels, runs
from receiver.worker.effect_task import Workshop
from receiver.worker.event_handler import handle
from receiver.worker.searches import Search
from receiver.workflow.effects import PollTicket
from receiver.workflow.events.ticket_events import IssueLabelled
from receiver.workflow.run import RunStatus

log = structlog.get_logger()


def _name(workshop: Workshop) -> str:
    rule = workshop.setting.catalogue.jira
    return f"tickets:{rule.project}:{rule.start.label}"


async def _look(workshop: Workshop, searched: datetime | None) -> tuple[int, datetime]:
    """Search from where the search before ended, with some overlap; with none if that was full, and left tickets over.

    More tickets than one search looks at may be changed within the overlap, and would be looked at for ever. Returns
    how many labels were found.
    """
    now, rule, full = workshop.setting.clock(), workshop.setting.catalogue.jira, f"{_name(workshop)}:full"
    async with workshop.database.begin() as session:
        goes_on = searched is not None and await cursors.read(session, full) == searched
    since = now - limits.LABELS_LOOK_BACK if searched is None else searched
    if searched is not None and not goes_on:
        since -= limits.LABELS_OVERLAP
    minutes = math.ceil((now - since) / timedelta(minutes=1)) + 1
    start, token, found, until, pages = 0, None, 0, since, 0
    while pages < limits.LABEL_PAGES:
        page = await asyncio.to_thread(
            workshop.desk.jira.labelled, rule.project, rule.start.label, minutes=minutes, start=start, token=token
        )
        found += sum([await _hear(workshop, one, now=now) for one in page.found])
        for key, updated in page.changed:
            await _look_at(workshop, key, updated, now=now)
        start, token = start + len(page.changed), page.token
        pages += not (goes_on and page.changed and page.changed[-1][1] <= since)  # others were read the time before
        until = now if page.is_last else page.changed[-1][1] if page.changed else until
        if page.is_last:
            break
    else:
        until = min(until, now - limits.TICKET_HOOK_ON_ITS_WAY)  # what is younger is looked at again
        log.warning("tickets.search_goes_on", tickets=start, until=str(until))
        async with workshop.database.begin() as session:
            await cursors.move(session, full, to=until)
    return found, until


TICKETS: Final = Search(name=_name, look=_look, every_s=limits.TICKETS_EVERY_S)


async def _hear(workshop: Workshop, one: LabelSet, *, now: datetime) -> bool:
    """Handle a label of which no hook told as its hook would have been."""
    if one.at > now - limits.TICKET_HOOK_ON_ITS_WAY:
        return False
    event = IssueLabelled(issue_key=one.issue_key, actor=one.actor, actor_name=one.actor_name, at=one.at)
    async with workshop.database.begin() as session:
        await runs.lock_issue(session, one.issue_key)
        if await heard_labels.was_heard(session, one.issue_key, at=one.at, slack=limits.HOOK_ON_ITS_WAY):
            return False
        handled = await handle(session, event, setting=workshop.setting)
    log.warning("label.found", issue_key=one.issue_key, run=handled.run, set_at=str(one.at))
    return True


async def _look_at(workshop: Workshop, key: IssueKey, updated: datetime, *, now: datetime) -> None:
    """Have the ticket of a run looked at, once for each change of it; a hook may still tell of a young one."""
    if updated > now - limits.TICKET_HOOK_ON_ITS_WAY:
        return
    async with workshop.database.begin() as session:
        run = await runs.newest(session, key)
        if run is None or run.status == RunStatus.ADMITTING:
            return
        if run.finished_at is None or run.finished_at > now - limits.RUN_FOLLOWED:
            origin = f"changed:{updated.isoformat()}"
            await outbox.store(session, RunId(run.id), (PollTicket(),), decision=None, origin=origin, now=now)
