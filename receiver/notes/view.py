"""What the notes of a run say, as data. Holds untrusted text; the templates escape it."""

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
from receiver.workflow.target_pipeline_status import TargetPipelineStatus


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


class Measured(Struct, frozen=True, kw_only=True):
    """What the tests and checks of a repository say, without the patch or with it. None: not run, or not told."""

    unit: SuiteResult | None = None
    integration: SuiteResult | None = None
    coverage: Coverage | None = None
    """Of all lines."""
    lint: CheckResult | None = None


class Review(Struct, frozen=True, kw_only=True):
    """What an agent that read the tested patch says of it."""

    summary: str
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """Return how many findings weigh so much."""
        return sum(one.severity is severity for one in self.findings)


class JobFile(Struct, frozen=True, kw_only=True):
    """A file that a job left among its artifacts."""

    name: str
    """For people; ours."""
    url: str


class FixView(Struct, frozen=True, kw_only=True):
    """What is known of the fix in one repository."""

    repository: ProjectPath
    summary: str = ""
    """What the fix does, in the words of the agent that wrote it."""
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
    before: Measured = Measured()
    after: Measured = Measured()
    changed_coverage: Coverage | None = None
    """Of the lines that the patch adds or changes."""
    shown: tuple[str, ...] = ()
    """What runs showed of the fix, a clause each."""
    not_shown: tuple[str, ...] = ()
    """What runs did not show, a clause each; the weightiest first."""
    contradicted: tuple[NamedTest, ...] = ()
    """Tests of the base commit that fail on the changed code."""
    needs_people: bool = False
    """Tests of the base commit speak against the fix or say nothing: the risk is high, and only people merge."""
    documentation: str = ""
    """Which documentation was updated for users, or why none had to be."""
    review: Review | None = None
    """None: no review ran."""
    files: tuple[JobFile, ...] = ()
    """What reviewers may want to read, where the jobs left it."""


class Moment(StrEnum):
    """Which of the two states evidence shows."""

    BEFORE = "before"
    AFTER = "after"


class EvidenceLink(Struct, frozen=True, kw_only=True):
    """A piece of evidence that was uploaded to GitLab."""

    moment: Moment
    kind: ArtifactKind
    markdown: str
    """GitLab's own, of our upload."""


class Picture(Struct, frozen=True, kw_only=True):
    """A picture that is attached to the ticket."""

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
    is_nobody_asked: bool = False
    """It was opened without a reviewer; whether there is one since, we are not told."""
    wave: int = 0
    """When it is deployed: those of a lower number go first."""


class PhaseCost(Struct, frozen=True, kw_only=True):
    """What a phase cost."""

    phase: str
    cost_usd: Decimal | None
    """None: not known."""


class Remark(Struct, frozen=True, kw_only=True):
    """What the readers of one merge request should know, and those of the ticket need not."""

    repository: ProjectPath
    sentence: str


class Fate(StrEnum):
    """What became of a plan that people were asked to approve."""

    WAITS = "a plan that waits for approval"
    APPROVED = "the approved plan"
    DROPPED = "a plan that was not approved"


class NoteView(Struct, frozen=True, kw_only=True):
    """All that the notes of a run say."""

    run: RunId
    issue_key: IssueKey
    issue_url: str
    status: RunStatus
    audience: Audience
    """Who may read what the run found."""
    readers: Readers
    """Who reads the place where this stands."""
    reason: str
    iteration: int
    """Which attempt at a fix this is; pipelines that ended in a question or in a plan that waits are not counted."""
    iterations: int
    """At most."""
    reporter: str = ""
    """Who reported the ticket."""
    automation: str = ""
    """The project whose jobs did the work, and keep their files."""
    question: str = ""
    """What the reporter is asked: by a plan that needs information, or because nothing was reproduced."""
    other_key: str = ""
    other_url: str = ""
    """The ticket that this one is a duplicate of."""
    summary: str = ""
    """What is wrong, according to the plan."""
    cause: str = ""
    location: Location | None = None
    risk: str = ""
    risk_reason: str = ""
    phases: tuple[PhaseLine, ...] = ()
    fixes: tuple[FixView, ...] = ()
    merge_requests: tuple[MergeRequestLine, ...] = ()
    """In the order in which they are deployed."""
    pictures: tuple[Picture, ...] = ()
    """Before and after, on the ticket."""
    remarks: tuple[str, ...] = ()
    """Sentences about what could not be done without stopping the run, for example a transition."""
    review_remarks: tuple[Remark, ...] = ()
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

    @property
    def is_told(self) -> bool:
        """Return whether what the run found may be told here."""
        return may_read(self.readers, self.audience)

    def fix(self, repository: ProjectPath) -> FixView:
        """Return what is known of the fix in a repository."""
        return next((f for f in self.fixes if f.repository == repository), FixView(repository=repository))

    def merge_request(self, repository: ProjectPath) -> MergeRequestLine | None:
        """Return the merge request of a repository, if there is one."""
        return next((m for m in self.merge_requests if m.repository == repository), None)
