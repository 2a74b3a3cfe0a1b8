"""Make decisions: ignored, noted, moved. The one way to a decision, so that every move is visible to people. No I/O."""

from __future__ import annotations

from datetime import datetime

from receiver.workflow import lifecycle
from receiver.workflow.effects import Effect, UpdateMergeRequestNote, UpdateTicketNote
from receiver.workflow.run import Decision, Run, RunStatus, Verdict


def ignored(reason: str) -> Decision:
    """Return that the event means nothing, and why."""
    return Decision(verdict=Verdict.IGNORED, reason=reason)


def noted(reason: str, *effects: Effect, deadline: datetime | None = None) -> Decision:
    """Return that the event is kept; the run stays where it is."""
    return Decision(verdict=Verdict.NOTED, reason=reason, effects=effects, deadline=deadline)


def acted(reason: str, *effects: Effect) -> Decision:
    """Return that something is done; the run stays where it is."""
    return Decision(verdict=Verdict.ACTED, reason=reason, effects=effects)


def moved(
    run: Run,
    to: RunStatus,
    reason: str,
    *effects: Effect,
    now: datetime,
    iteration: int | None = None,
    branch: str | None = None,
) -> Decision:
    """Return that the run moves on; the ticket's note and those of its merge requests tell so."""
    return Decision(
        verdict=Verdict.ACTED,
        reason=reason,
        status=to,
        deadline=lifecycle.move(run.status, to, now=now),
        iteration=iteration,
        branch=branch,
        effects=(*effects, *tell(run)),
    )


def tell(run: Run) -> tuple[Effect, ...]:
    """Return what makes the notes on the ticket and on the run's merge requests true again."""
    return (UpdateTicketNote(), *(UpdateMergeRequestNote(repository=m.repository) for m in run.merge_requests))
