"""The search for lost labels: Jira's Data Center never repeats a hook, and Cloud gives up after five attempts."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime, timedelta

import structlog

from receiver import limits
from receiver.outbound.jira.label_search import LabelSet
from receiver.store.run import heard_labels
from receiver.worker.effect_task import Workshop
from receiver.worker.event_handler import handle
from receiver.workflow.events import IssueLabelled

log = structlog.get_logger()


class LabelSweep:
    """Searches since the search before. The first one of a worker looks back for days, so that nothing is kept."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._searched: datetime | None = None

    async def alone(self) -> int:
        """Search, unless another worker is searching. Returns how many labels were found."""
        async with self._workshop.database.exclusive("labels") as is_ours:
            return await self.search() if is_ours else 0

    async def search(self) -> int:
        """Handle each label of which no hook told as its hook would have been. Raises OutboundError."""
        now = self._workshop.setting.clock()
        since = now - limits.LABELS_LOOK_BACK if self._searched is None else self._searched - limits.LABELS_OVERLAP
        minutes = math.ceil((now - since) / timedelta(minutes=1)) + 1
        start, token, found = 0, None, 0
        for _ in range(limits.LABEL_PAGES):
            jira, start_rule = self._workshop.desk.jira, self._workshop.setting.catalogue.jira
            page = await asyncio.to_thread(
                jira.labelled, start_rule.project, start_rule.start.label, minutes=minutes, start=start, token=token
            )
            found += sum([await self._hear(one, now=now) for one in page.found])
            start, token = start + page.tickets, page.token
            if page.tickets < limits.LABEL_PAGE and token is None:
                self._searched = now
                return found
            self._searched = page.updated
        log.warning("labels.search_goes_on", tickets=start, until=str(self._searched))
        return found

    async def _hear(self, one: LabelSet, *, now: datetime) -> bool:
        if one.at > now - limits.LABEL_UNHEARD:
            return False
        event = IssueLabelled(issue_key=one.issue_key, actor=one.actor, actor_name=one.actor_name)
        async with self._workshop.database.begin() as session:
            if await heard_labels.was_heard(session, one.issue_key, since=one.at - limits.LABEL_UNHEARD):
                return False
            handled = await handle(session, event, setting=self._workshop.setting)
        log.warning("label.found", issue_key=one.issue_key, run=handled.run, set_at=str(one.at))
        return True
