"""Ask Jira whether a run's ticket was restricted since it was read, before anything is told of it."""

from __future__ import annotations

import asyncio

from pipelines.language import RunId
from receiver.outbound.effects.desk import Desk
from receiver.store.run import runs
from receiver.workflow.effects import Effect
from receiver.workflow.events import IssueRestricted
from receiver.workflow.ticket_restriction import TELLING


async def news(desk: Desk, run: RunId, effect: Effect) -> IssueRestricted | None:
    """Return that the ticket is restricted, if the effect tells of the run and the run is not confidential yet.

    A ticket that is not shown to us counts as restricted. Raises OutboundError when Jira does not say: then nothing
    may be told.
    """
    if type(effect) not in TELLING:
        return None
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
    if facts.confidential or facts.ticket is None:
        return None
    level = await asyncio.to_thread(desk.jira.security_level, facts.issue_key)
    return None if level == "" else IssueRestricted(issue_key=facts.issue_key, level=level or "")
