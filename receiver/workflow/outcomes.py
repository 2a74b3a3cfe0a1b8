"""Make decisions: ignored, noted, moved. The one way to a decision, so that every move is visible to people. No I/O."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from receiver.workflow import lifecycle, turns
from receiver.workflow.effects import (
    CancelPipeline,
    Effect,
    PostPlan,
    StartPipeline,
    UpdateMergeRequestNote,
    UpdateTicketNote,
)
from receiver.workflow.end_codes import EndReason
from receiver.workflow.run import Attempt, Decision, Run, RunStatus, Verdict
from receiver.workflow.turns import RunQueue

HELD: Final = "The label that pauses holds it: take that off, or say `/bug-fix resume`."
"""Said of a run that would go on."""


def ignored(reason: str) -> Decision:
    """Return that the event means nothing, and why."""
    return Decision(verdict=Verdict.IGNORED, reason=reason)


def noted(reason: str, *effects: Effect, deadline: datetime | None = None, branch: str | None = None) -> Decision:
    """Return that the event is kept; the run stays where it is."""
    return Decision(verdict=Verdict.NOTED, reason=reason, effects=effects, deadline=deadline, branch=branch)


def acted(reason: str, *effects: Effect, branch: str | None = None) -> Decision:
    """Return that something is done; the run stays where it is."""
    return Decision(verdict=Verdict.ACTED, reason=reason, effects=effects, branch=branch)


def moved(
    run: Run,
    to: RunStatus,
    reason: str,
    *effects: Effect,
    now: datetime,
    attempt: Attempt | None = None,
    after: timedelta = timedelta(),
    branch: str | None = None,
) -> Decision:
    """Return that the run moves on; the ticket's note and those of its merge requests tell so.

    A new attempt has a pipeline to start, unless the run waits for its turn or is paused; `after` delays it.

    A run that stops leaves no pipeline at work: what it would still report no longer counts.
    """
    is_started = attempt is not None and to is RunStatus.STARTING
    delay = int(after.total_seconds())
    started = (StartPipeline(iteration=attempt.number, due_in_s=delay),) if attempt is not None and is_started else ()
    return Decision(
        verdict=Verdict.ACTED,
        reason=reason,
        status=to,
        deadline=lifecycle.move(run.status, to, now=now + after),
        attempt=attempt,
        branch=branch,
        effects=(*started, *effects, *_stop(run, to), *_plan_shown(run), *tell(run)),
    )


def begun(
    run: Run,
    reason: str,
    *effects: Effect,
    attempt: Attempt,
    queue: RunQueue,
    now: datetime,
    branch: str | None = None,
) -> Decision:
    """Return that an attempt begins: its pipeline is created now, with the effects, or when its turn comes.

    While the label that pauses is set it waits for that.
    """
    if run.is_held:
        return moved(run, RunStatus.PAUSED, f"{reason} {HELD}", now=now, attempt=attempt, branch=branch)
    if turns.may_begin(queue):
        said = f"{reason} Its pipeline is being created."
        return moved(run, RunStatus.STARTING, said, *effects, now=now, attempt=attempt, branch=branch)
    said = f"{reason} {turns.why_waiting(queue)}"
    return moved(run, RunStatus.QUEUED, said, now=now, attempt=attempt, branch=branch)


def ended(run: Run, to: RunStatus, why: EndReason, *effects: Effect, now: datetime) -> Decision:
    """Return that the run ends, with the code and the sentence that say why."""
    decision = moved(run, to, why.sentence, *effects, now=now)
    return replace(decision, end=why)


def _plan_shown(run: Run) -> tuple[Effect, ...]:
    """Return what makes the plan on the ticket say that it no longer waits."""
    return (PostPlan(iteration=run.iteration),) if run.status is RunStatus.AWAITING_APPROVAL else ()


def tell(run: Run) -> tuple[Effect, ...]:
    """Return what makes the notes on the ticket and on the run's merge requests true again."""
    return (UpdateTicketNote(), *(UpdateMergeRequestNote(repository=m.repository) for m in run.merge_requests))


_STOPS: Final = frozenset({RunStatus.ESCALATED, RunStatus.CANCELLED, RunStatus.PAUSED})
"""A run leaves no pipeline at work that gets there."""


def _stop(run: Run, to: RunStatus) -> tuple[Effect, ...]:
    above = run.parent
    is_cut_off = to in lifecycle.FINAL and run.status in lifecycle.AT_WORK
    if above is None or lifecycle.is_over(above.status) or not (to in _STOPS or is_cut_off):
        return ()
    reason = f"Run {run.id} is {to}, and its pipeline is not over."
    return (CancelPipeline(project_id=above.project_id, pipeline=above.pipeline, reason=reason),)
