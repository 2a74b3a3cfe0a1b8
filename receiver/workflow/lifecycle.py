"""Where a run may go, by when it has to, and what GitLab's statuses mean for it. Tables and their look-ups; no I/O.

`MOVES` is the only place that says which status may follow which; `move` is the only way to a new status.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from receiver import limits
from receiver.workflow.run import RunStatus

S = RunStatus

_BY_REVIEWERS: Final = frozenset({S.MERGED, S.CLOSED})
"""What people do with a merge request stays true, whatever the run is at: it outlives the attempt that made it."""
_STOPPED: Final = frozenset({S.CANCELLED, S.ESCALATED})
"""Where people or a defect can end every run that goes on."""
_ANEW: Final = frozenset({S.QUEUED, S.STARTING, S.PAUSED})
"""Another attempt begins, or waits for its turn or for the label that pauses to be taken off."""

MOVES: Final[dict[RunStatus, frozenset[RunStatus]]] = {
    S.ADMITTING: _STOPPED | _ANEW | {S.REFUSED, S.NEEDS_INFORMATION},
    S.QUEUED: _STOPPED | _BY_REVIEWERS | {S.STARTING, S.REFUSED, S.PAUSED},
    S.STARTING: _STOPPED | _BY_REVIEWERS | {S.RUNNING, S.PAUSED},
    S.RUNNING: _STOPPED
    | _BY_REVIEWERS
    | {
        *(S.OPENING, S.NEEDS_INFORMATION, S.AWAITING_APPROVAL, S.PAUSED),
        S.STARTING,  # a review sent the fix back, or people want another attempt
        *(S.NOT_REPRODUCED, S.DECLINED, S.FAILED),
    },
    # people make it go on, with a new iteration; nobody did: it is declined
    S.NEEDS_INFORMATION: _STOPPED | _BY_REVIEWERS | _ANEW | {S.DECLINED},
    S.AWAITING_APPROVAL: _STOPPED | _BY_REVIEWERS | _ANEW | {S.DECLINED},
    S.OPENING: _STOPPED | {S.IN_REVIEW, S.PAUSED},
    S.IN_REVIEW: _STOPPED | _BY_REVIEWERS | _ANEW,
    S.PAUSED: _STOPPED | _BY_REVIEWERS | (_ANEW - {S.PAUSED}) | {S.IN_REVIEW},
    # ends from which people may have another attempt made
    S.ESCALATED: _BY_REVIEWERS | _ANEW | {S.IN_REVIEW},  # somebody goes on with the partial work
    S.FAILED: _BY_REVIEWERS | _ANEW,
    S.CANCELLED: _BY_REVIEWERS | _ANEW,
    S.NOT_REPRODUCED: _BY_REVIEWERS | _ANEW,
    S.DECLINED: _BY_REVIEWERS,
    S.CLOSED: frozenset({S.MERGED}),
    S.MERGED: frozenset(),
    S.REFUSED: frozenset(),
}

LIMITS: Final[dict[RunStatus, timedelta]] = {
    S.ADMITTING: limits.ADMITTING,
    S.QUEUED: limits.QUEUED,
    S.STARTING: limits.STARTING,
    S.RUNNING: limits.RUNNING,
    S.NEEDS_INFORMATION: limits.WAITING_FOR_INFORMATION,
    S.AWAITING_APPROVAL: limits.WAITING_FOR_APPROVAL,
    S.OPENING: limits.OPENING,
    S.IN_REVIEW: limits.IN_REVIEW,
    S.PAUSED: limits.PAUSED_REMINDER,  # then people are reminded, and it may stay for `limits.PAUSED`
}
"""How long a run may stay in each status that is not an end; `receiver.limits` says why."""


WAITING: Final = frozenset({S.NEEDS_INFORMATION, S.AWAITING_APPROVAL})
"""Statuses in which nothing is at work: people have to say something on the ticket."""


ACTIVE: Final = frozenset(LIMITS)
"""Statuses in which a run holds its ticket: a label set now starts nothing."""

FINAL: Final = frozenset(RunStatus) - ACTIVE
"""Ends. A partial index of the table of runs names the same ones, so that a ticket has at most one active run."""

WITH_DEADLINE: Final = ACTIVE | {S.ESCALATED}
"""Statuses in which something follows when nobody does anything: after an escalation people are reminded."""

AT_WORK: Final = frozenset({S.STARTING, S.RUNNING})
"""Statuses in which a run has a pipeline, or gets one: `policy.concurrency` counts them."""

RETRIED: Final = frozenset(status for status in FINAL if MOVES[status] & ACTIVE)
"""Ends from which people may have another attempt made."""

AT_REST: Final = FINAL | WAITING | {S.PAUSED}
"""Statuses in which no job of the run has anything to do."""


class LifecycleError(Exception):
    """A move that the table does not know: a bug in `decide`."""


def move(status: RunStatus, to: RunStatus, *, now: datetime) -> datetime | None:
    """Return the deadline of the status that a run moves to, None for an end. Raises LifecycleError."""
    if to not in MOVES[status]:
        raise LifecycleError(f"A run can't go from {status} to {to}.")
    return deadline(to, now=now)


def deadline(status: RunStatus, *, now: datetime) -> datetime | None:
    """Return until when a run that enters `status` now has to leave it, None for an end."""
    limit = LIMITS.get(status)
    return now + limit if limit else None


class Progress(StrEnum):
    """What a GitLab status of a pipeline or job means for a run."""

    WAITING = "waiting"
    """Nothing works on it; GitLab, a runner or a person has to."""
    WORKING = "working"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """Nothing was run and nothing will be."""


class StatusMeaning(Struct, frozen=True):
    """A GitLab status as we take it."""

    rank: int
    """What is known only grows: a status never replaces one of a higher rank."""
    progress: Progress
    waits_for: str = ""
    """For people: what has to happen, where nothing works on it."""


STATUSES: Final[dict[str, StatusMeaning]] = {
    "created": StatusMeaning(0, Progress.WAITING, "for GitLab to queue it"),
    "waiting_for_resource": StatusMeaning(1, Progress.WAITING, "for a resource group that another job holds"),
    "preparing": StatusMeaning(2, Progress.WAITING, "for its environment to be prepared"),
    "waiting_for_callback": StatusMeaning(3, Progress.WAITING, "for an external service to answer GitLab"),
    "scheduled": StatusMeaning(4, Progress.WAITING, "for its scheduled time"),
    "manual": StatusMeaning(5, Progress.WAITING, "for somebody to start its manual job in GitLab"),
    "pending": StatusMeaning(6, Progress.WAITING, "for a runner; check that one with the job's tags is online"),
    "running": StatusMeaning(7, Progress.WORKING),
    "canceling": StatusMeaning(8, Progress.WORKING),
    "skipped": StatusMeaning(9, Progress.SKIPPED),
    "canceled": StatusMeaning(10, Progress.CANCELLED),
    "failed": StatusMeaning(11, Progress.FAILED),
    "success": StatusMeaning(12, Progress.SUCCEEDED),
}
"""All statuses of GitLab's pipelines and jobs (app/models/concerns/ci/has_status.rb), the earliest first.

Ends are above everything else, and a success above other ends: a failed job that somebody retried in GitLab counts.
"""

_UNKNOWN: Final = StatusMeaning(-1, Progress.WAITING, "for a status that this version does not know")


def meaning(status: str) -> StatusMeaning:
    """Return what a GitLab status means; one that GitLab invents later means waiting until the deadline."""
    return STATUSES.get(status, _UNKNOWN)


def later(known: str, told: str) -> str:
    """Return the status that stands after GitLab told one, in whatever order hooks arrive."""
    return told if (meaning(told).rank, told) > (meaning(known).rank, known) else known


def is_news(told: str, known: str | None) -> bool:
    """Return whether GitLab told a status that was not known, and that stands."""
    return known is None or later(known, told) != known


def is_over(status: str) -> bool:
    """Return whether nothing more happens by itself in a pipeline or job of this status."""
    return meaning(status).progress not in {Progress.WAITING, Progress.WORKING}


OVER: Final = tuple(status for status in STATUSES if is_over(status))
"""The statuses of pipelines and jobs in which nothing more happens by itself."""

WITHOUT_SESSION: Final = frozenset({*OVER, "canceling"})
"""The statuses of jobs after which their sessions are dead."""
