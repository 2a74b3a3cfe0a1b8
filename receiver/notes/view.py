"""What the notes of a run say, as data. Holds untrusted text; the templates escape it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from pipelines.model import IssueKey, Location, Phase, ProjectPath, RunId, SuiteResult
from receiver.workflow.run import RunStatus


class Mark(StrEnum):
    """How a phase stands."""

    WAITING = "·"
    WORKING = "…"
    DONE = "✓"
    FAILED = "✗"
    NO = "–"
    """An honest no: not reproduced."""


class PhaseLine(Struct, frozen=True, kw_only=True):
    """A phase in a repository."""

    phase: Phase
    repository: ProjectPath | None
    mark: Mark
    url: str = ""
    """Of its job."""
    finding: str = ""


class Change(Struct, frozen=True, kw_only=True):
    """A file that was changed, and why."""

    file: str
    rationale: str


class Fix(Struct, frozen=True, kw_only=True):
    """What is known of the fix in one repository."""

    repository: ProjectPath
    changes: tuple[Change, ...] = ()
    risk: str = ""
    rollback: str = ""
    symptom: str = ""
    """Which symptom the reproduction shows."""
    steps: tuple[str, ...] = ()
    is_red: bool = False
    """The reproduction failed before the patch."""
    is_green: bool = False
    """The reproduction passes with the patch."""
    suite_before: SuiteResult | None = None
    suite_after: SuiteResult | None = None


class MergeRequestLine(Struct, frozen=True, kw_only=True):
    """A merge request of the run."""

    repository: ProjectPath
    iid: int
    url: str
    state: str
    head_sha: str


class PhaseCost(Struct, frozen=True, kw_only=True):
    """What a phase cost."""

    phase: str
    cost_usd: Decimal | None
    """None: not known."""


class NoteView(Struct, frozen=True, kw_only=True):
    """All that the notes of a run say."""

    run: RunId
    issue_key: IssueKey
    issue_url: str
    status: RunStatus
    reason: str
    iteration: int
    iterations: int
    """At most."""
    summary: str = ""
    """What is wrong, according to the plan."""
    cause: str = ""
    location: Location | None = None
    risk: str = ""
    risk_reason: str = ""
    phases: tuple[PhaseLine, ...] = ()
    fixes: tuple[Fix, ...] = ()
    merge_requests: tuple[MergeRequestLine, ...] = ()
    remarks: tuple[str, ...] = ()
    """Sentences about what could not be done without stopping the run, for example a transition."""
    diagnoses: tuple[str, ...] = ()
    """Why earlier iterations ended, the oldest first."""
    cost_usd: Decimal | None
    """None: part of it is not known."""
    known_usd: Decimal
    budget_usd: Decimal
    costs: tuple[PhaseCost, ...] = ()
    pipeline_url: str = ""
    story_url: str
    updated_at: datetime

    def fix(self, repository: ProjectPath) -> Fix:
        """Return what is known of the fix in a repository."""
        return next((f for f in self.fixes if f.repository == repository), Fix(repository=repository))
