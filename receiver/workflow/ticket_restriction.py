"""Decide what it means that people restricted a run's ticket while the run went on. Performs no I/O."""

from __future__ import annotations

from typing import Final

from receiver.workflow.effects import (
    AskReporter,
    Effect,
    NeutraliseMergeRequest,
    PostPlan,
    UpdateTicketNote,
)
from receiver.workflow.events import Event, IssueLabelled, IssueRestricted, TicketAdmitted, TicketRefreshed
from receiver.workflow.outcomes import acted, ignored, tell
from receiver.workflow.run import Decision, Learned, Run, RunStatus
from receiver.workflow.start import neutral_branch

_UNUSED: Final = frozenset(
    {RunStatus.STARTING, RunStatus.RUNNING, RunStatus.NEEDS_INFORMATION, RunStatus.AWAITING_APPROVAL}
)
"""Statuses in which nothing stands on the run's branch. While merge requests are opened, each push looks for itself."""


def restricted(event: IssueRestricted, run: Run, *, learned: Learned, is_newest: bool = True) -> Decision:
    """Make all that people read of the run say nothing of what was found. `is_newest`: of its ticket's runs."""
    level = f"The ticket has the security level {event.level[:100]}"
    what = level if event.level else "Jira shows us the ticket no more"
    if learned.was_confidential:
        return ignored(f"{what}; the run is confidential already.")
    return acted(
        f"{what}: the run is confidential from here on, and stays so.",
        *(NeutraliseMergeRequest(repository=one.repository) for one in run.merge_requests),
        *_shown(run),
        *_notes(run, is_newest=is_newest),
        branch=neutral_branch(run) if run.status in _UNUSED else None,
    )


def _notes(run: Run, *, is_newest: bool) -> tuple[Effect, ...]:
    """Return what writes the notes anew; the ticket's tells of its newest run, and a refused one has none."""
    has_one = is_newest and run.status not in {RunStatus.ADMITTING, RunStatus.REFUSED}
    return tuple(one for one in tell(run) if has_one or not isinstance(one, UpdateTicketNote))


def _shown(run: Run) -> tuple[Effect, ...]:
    """Return what writes the plan or the question anew that waits on the ticket."""
    match run.status:
        case RunStatus.AWAITING_APPROVAL:
            return (PostPlan(iteration=run.iteration),)
        case RunStatus.NEEDS_INFORMATION:
            return (AskReporter(iteration=run.iteration),)
        case _:
            return ()


def of(event: Event) -> IssueRestricted | None:
    """Return the restriction of a ticket that an event tells of, by itself or besides."""
    match event:
        case IssueRestricted():
            return event
        case IssueLabelled(level=str() as level) if level:
            return IssueRestricted(issue_key=event.issue_key, level=level)
        case TicketAdmitted() | TicketRefreshed() if event.ticket.security_level:
            return IssueRestricted(issue_key=event.ticket.key, level=event.ticket.security_level)
        case _:
            return None
