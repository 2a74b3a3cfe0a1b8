"""Ask Jira whether a run's ticket was restricted since it was read, before anything is told of it."""

from __future__ import annotations

import asyncio

from pipelines.language import RunId
from receiver.outbound.effects.desk import Desk
from receiver.outbound.errors import OutboundError
from receiver.store.run import runs, ticket_levels
from receiver.workflow.events.ticket_events import IssueRestricted


async def news(desk: Desk, run: RunId) -> IssueRestricted | None:
    """Return that the ticket is restricted, unless the run is confidential already.

    A ticket that is not shown to us counts as restricted. Raises OutboundError when Jira does not say: then nothing
    may be told.
    """
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
    if not facts.audience.is_public or facts.ticket is None:
        return None
    level = await asyncio.to_thread(desk.jira.security_level, facts.issue_key)
    return None if level == "" else IssueRestricted(issue_key=facts.issue_key, level=level or "")


class RestrictedError(OutboundError):
    """The ticket was restricted while an effect was being performed; what is left of it would be seen by too many."""

    def __init__(self, event: IssueRestricted | None) -> None:
        super().__init__("The ticket was restricted meanwhile.")
        self.event = event
        """What Jira said; None: a hook or another effect told already."""


async def ensure_open(desk: Desk, run: RunId) -> None:
    """Ask once more, before a step that shows something. Raises RestrictedError, OutboundError when Jira is silent."""
    event = await news(desk, run)
    if event is not None or await is_stopped(desk, run):
        raise RestrictedError(event)


async def is_stopped(desk: Desk, run: RunId) -> bool:
    """Return whether the run carries nothing on because people restricted its ticket."""
    async with desk.database.begin() as session:
        return await ticket_levels.is_stopped(session, run)
