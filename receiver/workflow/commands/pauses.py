"""What `pause` and `resume` do, and what becomes of a run that nobody resumes. Performs no I/O.

A paused run has no pipeline: its jobs would wait for the model for days. Going on is an attempt that reuses what holds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from receiver.workflow.attempts import next_attempt
from receiver.workflow.commands.given_command import Circumstances, Given, Refused
from receiver.workflow.effects import PollGitLab, RemindTicket, StartPipeline
from receiver.workflow.outcomes import begun, moved, noted
from receiver.workflow.run import Cause, Decision, Run, RunStatus
from receiver.workflow.stages import plans
from receiver.workflow.stages.start import transition
from receiver.workflow.turns import may_begin, why_waiting

INTERRUPTED: Final = frozenset({RunStatus.STARTING, RunStatus.RUNNING})
"""Statuses in which pausing ends an attempt before it is done."""


REVIEWED: Final = frozenset({RunStatus.IN_REVIEW, RunStatus.OPENING})
"""Statuses in which pausing keeps merge requests from being merged."""


def pause(given: Given, run: Run, now: Circumstances) -> Decision:
    """Stop for now."""
    return paused(run, f"{given.who} paused the bug fix.", now=now.now)


def paused(run: Run, reason: str, *, now: datetime) -> Decision:
    """Return that a run stops for now: its pipeline is cancelled, and what it found is kept."""
    return moved(run, RunStatus.PAUSED, f"{reason} `/bug-fix resume` lets it go on.", now=now)


def resume(given: Given, run: Run, now: Circumstances) -> Decision | Refused:
    """Go on where the run was paused, also though the label that pauses is still set: the latest word counts."""
    decision = resumed(replace(run, is_held=False), f"{given.who} resumed the bug fix.", now)
    return replace(decision, is_held=False)


def held(given: Given, run: Run, now: Circumstances) -> Decision:
    """Let the label that pauses hold the run: at once where something is at work, else as soon as it would go on."""
    if run.status in INTERRUPTED | {RunStatus.QUEUED, RunStatus.IN_REVIEW}:
        return replace(pause(given, run, now), is_held=True)
    said = f"{given.who} set the label that pauses; the run is {run.status}, and does not go on until it is taken off."
    return replace(noted(said), is_held=True)


def released(given: Given, run: Run, now: Circumstances) -> Decision | Refused:
    """Let the label that pauses hold the run no longer."""
    if run.status is RunStatus.PAUSED:
        return resume(given, run, now)
    return replace(noted(f"{given.who} took off the label that pauses; the run is {run.status}."), is_held=False)


def resumed(run: Run, reason: str, now: Circumstances) -> Decision:
    """Return that a paused run goes on: in review, or with an attempt."""
    if run.paused_from in REVIEWED:
        return moved(run, RunStatus.IN_REVIEW, reason, PollGitLab(iteration=run.iteration), now=now.now)
    if run.paused_from in INTERRUPTED:
        attempt = next_attempt(
            run,
            Cause.RESUMED,
            catalogue=now.catalogue,
            diagnoses=run.diagnoses,
            approved_by=run.approved_by,
            without=lambda report: not plans.leads_on(run, report, now.catalogue.policy),
        )
        return begun(run, reason, attempt=attempt, queue=now.queue, now=now.now)
    if not may_begin(now.queue):  # its attempt has not begun yet
        return moved(run, RunStatus.QUEUED, f"{reason} {why_waiting(now.queue)}", now=now.now)
    started = transition(now.catalogue.jira.transitions.started) if run.iteration == 1 else ()
    begin = StartPipeline(iteration=run.iteration)
    return moved(run, RunStatus.STARTING, f"{reason} Its pipeline is being created.", begin, *started, now=now.now)


def reminded(run: Run, *, until: datetime) -> Decision:
    """Remind people once of a run that is paused for long."""
    said = f"The bug fix is paused. Say `/bug-fix resume` until {until:%Y-%m-%d}, or people get it as it is."
    return noted(said, RemindTicket(text=said, since=run.since or until), deadline=until)
