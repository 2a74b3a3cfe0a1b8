"""Decide what it means that people restricted a run's ticket while the run worked. Performs no I/O."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from receiver.workflow import lifecycle
from receiver.workflow.effects import (
    AskReporter,
    CancelPipeline,
    Effect,
    HandOver,
    NeutraliseMergeRequest,
    PostPlan,
    UpdateTicketNote,
)
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.events.event import Event
from receiver.workflow.events.ticket_events import IssueLabelled, IssueRestricted, TicketAdmitted, TicketRefreshed
from receiver.workflow.outcomes import acted, ended, ignored, noted, tell
from receiver.workflow.run import Decision, Learned, Run, RunStatus


def restricted(
    event: IssueRestricted, run: Run, *, learned: Learned, now: datetime, is_newest: bool = True
) -> Decision:
    """Stop a run at work, hand it to people, and take back what it showed. `is_newest`: of its ticket's runs."""
    level = f"The ticket has the security level {event.level[:100]}"
    what = level if event.level else "Jira no longer shows us the ticket"
    if learned.was_confidential:
        return ignored(f"{what}; the run is confidential already.")
    if run.status is RunStatus.ADMITTING:
        return noted(f"{what}: the run is confidential from its beginning.")
    if run.status not in lifecycle.ACTIVE:
        return acted(f"{what}: what the run showed is taken back.", *_withdrawal(run, is_newest=is_newest))
    why = EndReason(
        code=EndCode.RESTRICTED,
        sentence=f"{what}, and had none when the run began: the run stopped and took back what it had shown. "
        "Go on by hand, or set the label again for a run that is confidential from its beginning.",
    )
    stopped = ended(run, RunStatus.ESCALATED, why, now=now)
    kept = (one for one in stopped.effects if isinstance(one, CancelPipeline))
    return replace(stopped, effects=(*kept, *_withdrawal(run, is_newest=is_newest)))


def _withdrawal(run: Run, *, is_newest: bool) -> tuple[Effect, ...]:
    """Return the effects that rewrite every published text; only the ticket's newest run, if not refused, has its note.

    Titles and descriptions come first, because the notes do not depend on them.
    """
    has_note = is_newest and run.status is not RunStatus.REFUSED
    return (
        *(NeutraliseMergeRequest(repository=one.repository) for one in run.merge_requests),
        *_waiting(run),
        *(one for one in tell(run) if has_note or not isinstance(one, UpdateTicketNote)),
        *(() if run.status is RunStatus.REFUSED else (HandOver(),)),
    )


def _waiting(run: Run) -> tuple[Effect, ...]:
    """Return what takes back the plan or the question that waits on the ticket."""
    match run.status:
        case RunStatus.AWAITING_APPROVAL:
            return (PostPlan(iteration=run.iteration),)
        case RunStatus.NEEDS_INFORMATION:
            return (AskReporter(iteration=run.iteration),)
        case _:
            return ()


def of(event: Event) -> IssueRestricted | None:
    """Return the ticket restriction that an event states directly or implies by a security level, or None."""
    match event:
        case IssueRestricted():
            return event
        case IssueLabelled(level=str() as level) if level:
            return IssueRestricted(issue_key=event.issue_key, level=level)
        case TicketAdmitted() | TicketRefreshed() if event.ticket.security_level:
            return IssueRestricted(issue_key=event.ticket.key, level=event.ticket.security_level)
        case _:
            return None
