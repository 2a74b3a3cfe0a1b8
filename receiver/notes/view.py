"""Content of a run's notes, as data. Holds untrusted text, which rendering escapes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from pipelines.language import (
    ArtifactKind,
    CheckResult,
    Coverage,
    Finding,
    IssueKey,
    Location,
    NamedTest,
    Phase,
    ProjectPath,
    RunId,
    Severity,
    SuiteResult,
)
from receiver.workflow.audience import Audience, Readers, may_read
from receiver.workflow.run import RunStatus
from receiver.workflow.stages.target_pipeline_status import TargetPipelineStatus


class Mark(StrEnum):
    """State of a phase."""

    WAITING = "·"
    WORKING = "…"
    DONE = "✓"
    FAILED = "✗"
    NO = "–"
    """Not reproduced."""


class PhaseLine(Struct, frozen=True, kw_only=True):
    """State of a phase in a repository."""

    phase: Phase
    repository: ProjectPath | None
    mark: Mark
    url: str = ""
    """URL of its job."""
    finding: str = ""


class Change(Struct, frozen=True, kw_only=True):
    """A changed file and the reason for the change."""

    file: str
    rationale: str


class Measured(Struct, frozen=True, kw_only=True):
    """Results of a repository's tests and checks, without the patch or with it. None: not run or not reported."""

    unit: SuiteResult | None = None
    integration: SuiteResult | None = None
    coverage: Coverage | None = None
    """Coverage of all lines."""
    lint: CheckResult | None = None


class Review(Struct, frozen=True, kw_only=True):
    """Result of the review phase: an agent read the tested patch."""

    summary: str
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """Return the number of findings of a severity."""
        return sum(one.severity is severity for one in self.findings)


class JobFile(Struct, frozen=True, kw_only=True):
    """An artifact of a job."""

    name: str
    """Label for people; trusted."""
    url: str


class FixView(Struct, frozen=True, kw_only=True):
    """The fix in one repository."""

    repository: ProjectPath
    summary: str = ""
    """What the fix does, written by the implementing agent."""
    size: str = ""
    """Number of changed files, and of lines added and removed."""
    changes: tuple[Change, ...] = ()
    risk: str = ""
    rollback: str = ""
    symptom: str = ""
    """Symptom that the reproduction shows."""
    steps: tuple[str, ...] = ()
    is_red: bool = False
    """The reproduction failed before the patch."""
    is_green: bool = False
    """The reproduction passes with the patch."""
    before: Measured = Measured()
    after: Measured = Measured()
    changed_coverage: Coverage | None = None
    """Coverage of the lines that the patch adds or changes."""
    shown: tuple[str, ...] = ()
    """What test runs confirmed of the fix, one clause each."""
    not_shown: tuple[str, ...] = ()
    """What test runs did not confirm, one clause each; the most important first."""
    contradicted: tuple[NamedTest, ...] = ()
    """Tests of the base commit that fail on the changed code."""
    needs_people: bool = False
    """Tests of the base commit contradict the fix or prove nothing: the risk is high, and only people may merge."""
    documentation: str = ""
    """Updated user documentation, or why none was needed."""
    review: Review | None = None
    """None: no review ran."""
    files: tuple[JobFile, ...] = ()
    """Job artifacts for reviewers."""


class Moment(StrEnum):
    """State that evidence shows: without the patch or with it."""

    BEFORE = "before"
    AFTER = "after"


class EvidenceLink(Struct, frozen=True, kw_only=True):
    """Evidence that was uploaded to GitLab."""

    moment: Moment
    kind: ArtifactKind
    markdown: str
    """As GitLab returned it for the upload."""


class Picture(Struct, frozen=True, kw_only=True):
    """A picture attached to the ticket."""

    repository: ProjectPath
    filename: str


class MergeRequestLine(Struct, frozen=True, kw_only=True):
    """A merge request of the run."""

    repository: ProjectPath
    iid: int
    url: str
    state: str
    head_sha: str
    target_pipeline: TargetPipelineStatus = TargetPipelineStatus.UNKNOWN
    target_pipeline_url: str = ""
    merge_blocker: str = ""
    """Why the workflow does not merge it, a sentence; empty: nothing that people have to do something about."""
    is_nobody_asked: bool = False
    """It was opened without a reviewer; later changes are not known."""
    outcome: str = ""
    """What became of it after it was merged, a sentence; empty: nothing that people should know."""
    wave: int = 0
    """Deployment order: lower numbers go first."""


class PhaseCost(Struct, frozen=True, kw_only=True):
    """Cost of a phase."""

    phase: str
    cost_usd: Decimal | None
    """None: not known."""


class Remark(Struct, frozen=True, kw_only=True):
    """A sentence for the readers of one merge request only."""

    repository: ProjectPath
    sentence: str


class Fate(StrEnum):
    """Outcome of a plan that people were asked to approve."""

    WAITS = "a plan that waits for approval"
    APPROVED = "the approved plan"
    DROPPED = "a plan that was not approved"


class NoteView(Struct, frozen=True, kw_only=True):
    """Content of all notes of a run."""

    run: RunId
    issue_key: IssueKey
    issue_url: str
    status: RunStatus
    audience: Audience
    """Who may read what the run found."""
    readers: Readers
    """Readers of the place where the note is posted."""
    reason: str
    place: str = ""
    """Where it stands in the queue, for people; empty: it does not wait for its turn."""
    iteration: int
    """Number of this attempt at a fix; iterations that ended in a question or an unapproved plan do not count."""
    iterations: int
    """Maximum number of attempts."""
    reporter: str = ""
    """Name of the ticket's reporter."""
    automation: str = ""
    """Project that ran the jobs and keeps their artifacts."""
    question: str = ""
    """Question to the reporter: from a plan that needs information, or because nothing was reproduced."""
    other_key: str = ""
    other_url: str = ""
    """Ticket that this one duplicates."""
    summary: str = ""
    """The bug, as the plan describes it."""
    cause: str = ""
    location: Location | None = None
    risk: str = ""
    risk_reason: str = ""
    phases: tuple[PhaseLine, ...] = ()
    fixes: tuple[FixView, ...] = ()
    merge_requests: tuple[MergeRequestLine, ...] = ()
    """In deployment order."""
    pictures: tuple[Picture, ...] = ()
    """Pictures attached to the ticket, before and after."""
    remarks: tuple[str, ...] = ()
    """Sentences about effects that failed without stopping the run, for example a transition."""
    review_remarks: tuple[Remark, ...] = ()
    diagnoses: tuple[str, ...] = ()
    """Why earlier attempts failed, the oldest first."""
    cost_usd: Decimal | None
    """None: partly unknown."""
    known_usd: Decimal
    budget_usd: Decimal
    costs: tuple[PhaseCost, ...] = ()
    pipeline_url: str = ""
    story_url: str
    updated_at: datetime

    @property
    def is_told(self) -> bool:
        """Return whether these readers may read what the run found."""
        return may_read(self.readers, self.audience)

    def fix(self, repository: ProjectPath) -> FixView:
        """Return the fix in a repository; without values if nothing is known."""
        return next((f for f in self.fixes if f.repository == repository), FixView(repository=repository))

    def merge_request(self, repository: ProjectPath) -> MergeRequestLine | None:
        """Return the merge request of a repository, or None."""
        return next((m for m in self.merge_requests if m.repository == repository), None)
