"""A run as the core sees it, its statuses, and what a decision is. Data only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from pipelines.model import IssueKey, Phase, PhaseReport, ProjectPath, RunId
from receiver.workflow.effects import Effect
from receiver.workflow.events import PipelineId


class RunStatus(StrEnum):
    """Where a run is. The table of allowed moves is in `lifecycle`."""

    ADMITTING = "admitting"
    """The ticket is being fetched and the person checked."""
    STARTING = "starting"
    """The parent pipeline is being created."""
    RUNNING = "running"
    """GitLab works on it."""
    OPENING = "opening"
    """The patch is accepted; branch, commit and merge request are being made."""
    IN_REVIEW = "in_review"
    """A merge request waits for people."""
    MERGED = "merged"
    REFUSED = "refused"
    """Never started: the person may not, or the ticket can't be worked on."""
    NOT_REPRODUCED = "not_reproduced"
    DECLINED = "declined"
    """Analysis concluded that there is nothing to fix here."""
    ESCALATED = "escalated"
    """Needs a person; the reason says why."""
    FAILED = "failed"
    """Broken by something that isn't the ticket's."""
    CANCELLED = "cancelled"
    CLOSED = "closed"
    """Somebody closed the merge request without merging."""


class PipelineView(Struct, frozen=True, kw_only=True):
    """A pipeline of the run as last known."""

    pipeline: PipelineId
    project_id: int
    iteration: int
    parent: PipelineId | None
    status: str


class MergeRequestView(Struct, frozen=True, kw_only=True):
    """A merge request of the run as last known."""

    repository: ProjectPath
    project_id: int
    iid: int
    state: str


class Run(Struct, frozen=True, kw_only=True):
    """All that `decide` may know of a run."""

    id: RunId
    issue_key: IssueKey
    status: RunStatus
    iteration: int
    """0 before the first attempt."""
    branch: str
    deadline: datetime | None
    pipelines: tuple[PipelineView, ...] = ()
    reports: tuple[PhaseReport, ...] = ()
    """Accepted reports of the current iteration, the newest of each phase and repository."""
    merge_requests: tuple[MergeRequestView, ...] = ()
    repositories: tuple[ProjectPath, ...] = ()
    """In scope according to the accepted plan; empty before."""

    def report(self, phase: Phase, repository: ProjectPath | None = None) -> PhaseReport | None:
        """Return the accepted report of a phase, if there is one."""
        return next((r for r in self.reports if r.phase is phase and r.repository == repository), None)


class Verdict(StrEnum):
    """What became of an event, visible to people."""

    ACTED = "acted"
    NOTED = "noted"
    """Recorded, nothing to do."""
    IGNORED = "ignored"


class Decision(Struct, frozen=True, kw_only=True):
    """What to do about an event, and why."""

    verdict: Verdict
    reason: str
    """A sentence for people."""
    status: RunStatus | None = None
    """The run's new status; None: unchanged."""
    iteration: int | None = None
    """The run's new iteration; None: unchanged."""
    deadline: datetime | None = None
    """When the new status is overdue; kept as it is when the status is unchanged."""
    new_run: RunId | None = None
    """Set when the event starts a run; it is created with `status` before the effects are stored."""
    effects: tuple[Effect, ...] = ()
