"""What a run is: phases, the plan, what a job is told (RunSpec) and what it reports (PhaseReport).

The published language between receiver and jobs. Holds data only: no I/O, no SDK; stdlib and msgspec.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NewType

from msgspec import Meta, Struct

RunId = NewType("RunId", str)
"""Identifies a run: 16 lowercase hexadecimal characters, random."""

IssueKey = NewType("IssueKey", str)
"""A Jira issue key, for example `PL-479`."""

ProjectPath = NewType("ProjectPath", str)
"""A GitLab project's full path, for example `payk12/contacts`; it names the repository everywhere."""

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
"""A SHA-256 in lowercase hexadecimal."""

CommitSha = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$(?!\n)")]
"""A git object id, SHA-1 or SHA-256."""

Line = Annotated[str, Meta(max_length=300)]
Text = Annotated[str, Meta(max_length=20_000)]


class Phase(StrEnum):
    """What a job does. `prepare` and `generate` are steps of the parent pipeline, not phases of the fix."""

    ANALYSIS = "analysis"
    PREPARE = "prepare"
    GENERATE = "generate"
    REPRODUCTION = "reproduction"
    IMPLEMENTATION = "implementation"
    TESTING = "testing"
    REVIEW = "review"
    """Optional: an agent that can't write reads the tested patch."""
    MERGE_REQUEST = "merge_request"


class Complexity(StrEnum):
    """How hard analysis thinks the fix is."""

    SIMPLE = "simple"
    MODERATE = "moderate"
    COMPLEX = "complex"


class Risk(StrEnum):
    """What could go wrong when the fix is deployed."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class DeployPattern(StrEnum):
    """How merged fixes reach production."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    FEATURE_FLAG = "feature_flag"


class PlanOutcome(StrEnum):
    """What analysis concluded. Only `fix` leads to code."""

    FIX = "fix"
    NEEDS_INFORMATION = "needs_information"
    NOT_A_BUG = "not_a_bug"
    DUPLICATE = "duplicate"
    TOO_LARGE = "too_large"
    FEATURE_REQUEST = "feature_request"
    INFRASTRUCTURE = "infrastructure"
    SECURITY_CONCERN = "security_concern"


class Approval(StrEnum):
    """Whether a plan may be carried out as far as people have a say in it."""

    NOT_NEEDED = "not_needed"
    AWAITED = "awaited"
    GIVEN = "given"


class Location(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in a repository."""

    repository: ProjectPath
    file: Line
    """Path relative to the repository's root."""
    line: int
    """1-based."""


class RepositoryPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done in one repository."""

    repository: ProjectPath
    agent: Line
    """Name of the agent profile that implements here."""
    reason: Text
    """Why this repository is in scope."""
    confidence: float
    """0 to 1."""
    approach: Text
    files: list[Line]
    """Files that are expected to change."""
    tests: list[Line]
    """Tests to write, a sentence each."""


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What analysis found and decided. Every later phase is generated from it."""

    outcome: PlanOutcome
    reason: Text
    """Why this outcome; for anything but `fix` this is what people are told."""
    question: Text = ""
    """For `needs_information`: exactly what the reporter is asked."""
    duplicate_of: Line = ""
    """For `duplicate`: the issue key of the other ticket."""
    title: Line
    """Imperative, without the issue key: `Escape apostrophes in contact names`."""
    summary: Text
    """What is wrong, in the words of the person who reported it."""
    expected: Text
    actual: Text
    steps: list[Line]
    """Steps to reproduce."""
    requirements: list[Line]
    """Acceptance criteria drawn from the ticket."""
    root_cause: Text
    location: Location | None
    """Where the cause is; null when the outcome is not `fix`."""
    complexity: Complexity
    risk: Risk
    risk_reason: Text
    repositories: list[RepositoryPlan]
    deploy_pattern: DeployPattern


class Framework(StrEnum):
    """What runs a reproduction."""

    PYTEST = "pytest"
    """pytest-playwright, also with Playwright's API client instead of a page."""
    PLAYWRIGHT_TEST = "playwright_test"
    """`@playwright/test` in TypeScript or JavaScript, as the repository itself has it."""


class ReproductionSubmission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the agent claims after writing a reproduction; the job checks it before it counts."""

    reproduced: bool
    test_path: Line
    """The Playwright test, relative to the repository's root; empty when nothing was reproduced."""
    symptom: Text
    """Which symptom of the ticket the failing assertion shows, or what was seen instead."""
    steps: list[Line]
    existing_test: bool = False
    """The test was in the repository already, and already failed because of this bug."""
    question: Text = ""
    """When nothing was reproduced: what the reporter should be asked."""


class FileRationale(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why one file was changed."""

    file: Line
    rationale: Text


class FixSubmission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the agent says about its fix; the patch itself is taken from the work folder."""

    summary: Text
    files: list[FileRationale]
    risk: Text
    rollback: Text
    documentation: Text = ""
    """Which documentation was updated for users, or why none had to be."""


class Severity(StrEnum):
    """How much a reviewer's finding weighs."""

    MUST_FIX = "must_fix"
    """The patch is wrong, or does harm."""
    SHOULD_FIX = "should_fix"
    NOTE = "note"


class Finding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reviewer found in a patch."""

    file: Line
    line: int
    """1-based, in the patched file; 0 for the file as a whole."""
    severity: Severity
    claim: Text
    """What is wrong, and for which input it shows."""
    suggestion: Text


class ReviewSubmission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the reviewing agent says of a tested patch."""

    summary: Text
    findings: list[Finding]


class ArtifactKind(StrEnum):
    """What a file kept with a report is."""

    PLAN = "plan"
    BASELINE = "baseline"
    CONTEXT = "context"
    CHILD_PIPELINE = "child_pipeline"
    REPRODUCTION_TEST = "reproduction_test"
    SCREENSHOT = "screenshot"
    TRACE = "trace"
    VIDEO = "video"
    BISECT = "bisect"
    """Script for `git bisect run`."""
    JUNIT = "junit"
    LOG = "log"
    PATCH = "patch"
    TRANSCRIPT = "transcript"
    COVERAGE = "coverage"
    REPORT = "report"


class Artifact(Struct, frozen=True, kw_only=True):
    """A file that a job leaves behind as a GitLab artifact."""

    kind: ArtifactKind
    path: str
    """Relative to CI_PROJECT_DIR, as in the artifact archive."""
    sha256: Sha256
    size: int
    """Bytes."""


class SuiteResult(Struct, frozen=True, kw_only=True):
    """One run of a test suite, read from its JUnit report and its exit code."""

    passed: int
    failed: int
    errors: int
    skipped: int
    duration_s: float
    exit_code: int
    failing: tuple[str, ...] = ()
    """Ids of failing tests, at most 50."""
    flaky: tuple[str, ...] = ()
    """Ids of tests that failed in one of two runs on the same code, at most 50; they count as neither."""


class KnownTests(Struct, frozen=True, kw_only=True):
    """What the tests of a suite did in two runs on the unpatched code, by id."""

    passing: tuple[str, ...]
    failing: tuple[str, ...]
    flaky: tuple[str, ...]
    """Not the same in both runs."""


class Baseline(Struct, frozen=True, kw_only=True):
    """All tests of a repository on the unpatched code, which no report has room for: handed in beside it."""

    unit: KnownTests | None = None
    integration: KnownTests | None = None


class Coverage(Struct, frozen=True, kw_only=True):
    """Lines that tests ran, of those that they could have run."""

    covered: int
    coverable: int

    @property
    def percent(self) -> float | None:
        """The share in percent; None where there is nothing to cover."""
        return 100 * self.covered / self.coverable if self.coverable else None

    @property
    def uncovered(self) -> int:
        """Lines that no test ran."""
        return self.coverable - self.covered


class CheckResult(Struct, frozen=True, kw_only=True):
    """Linters and type checks, by the catalogue's command."""

    exit_code: int
    duration_s: float


class AnalysisResult(Struct, frozen=True, kw_only=True, tag="analysis"):
    """Analysis found this."""

    plan: Plan


class PrepareResult(Struct, frozen=True, kw_only=True, tag="prepare"):
    """The unpatched repository was installed and its suite was run."""

    base_sha: CommitSha
    baseline: SuiteResult | None
    """The unit tests; None when the catalogue names no test command."""
    integration: SuiteResult | None = None
    coverage: Coverage | None = None
    lint: CheckResult | None = None


class GenerateResult(Struct, frozen=True, kw_only=True, tag="generate"):
    """The child pipeline was generated."""

    jobs: tuple[str, ...]
    sha256: Sha256


class ReproductionResult(Struct, frozen=True, kw_only=True, tag="reproduction"):
    """A test that fails on the unpatched code, or an honest no."""

    base_sha: CommitSha
    reproduced: bool
    test_path: str
    test_sha256: Sha256 | None
    failure: str
    """The failing assertion's message, or why the failure did not count."""
    symptom: str
    steps: tuple[str, ...]
    framework: Framework = Framework.PYTEST
    tests: tuple[str, ...] = ()
    """Names of the tests in the file."""
    existing_test: bool = False
    """The repository had this test already."""
    question: str = ""
    """When nothing was reproduced: what the reporter is asked."""


class ImplementationResult(Struct, frozen=True, kw_only=True, tag="implementation"):
    """A patch and its reasons."""

    base_sha: CommitSha
    patch_sha256: Sha256
    files: tuple[str, ...]
    insertions: int
    deletions: int
    fix: FixSubmission
    documents: tuple[str, ...] = ()
    """Those of the files that are documentation."""
    notices: tuple[str, ...] = ()
    """What a reviewer should look at: tests that were renamed or expect something else now, a sentence each."""


class TestingResult(Struct, frozen=True, kw_only=True, tag="testing"):
    """The patched repository under its own tests and under the reproduction."""

    base_sha: CommitSha
    patch_sha256: Sha256
    test_sha256: Sha256
    reproduction_before_failed: bool
    reproduction_after_passed: bool
    suite: SuiteResult | None
    new_failures: tuple[str, ...]
    """Failing now and not in the baseline, unit and integration tests alike; at most 50, as all ids below."""
    missing: tuple[str, ...] = ()
    """In the baseline, and not run with the patch."""
    own_failing: tuple[str, ...] = ()
    """In the baseline, and failing or not run with the patch when the files of tests are as they were before it."""
    rewritten: tuple[str, ...] = ()
    """In files of tests that the patch changes: gone by that name, or passing only as the patch has them. Not held
    against the patch, but for a reviewer to look at."""
    integration: SuiteResult | None = None
    coverage_before: Coverage | None = None
    coverage: Coverage | None = None
    """Of all lines, with the patch."""
    changed_coverage: Coverage | None = None
    """Of the lines that the patch adds or changes."""
    lint: CheckResult | None = None


class ReviewResult(Struct, frozen=True, kw_only=True, tag="review"):
    """What a reader of the tested patch found."""

    patch_sha256: Sha256
    summary: str
    findings: tuple[Finding, ...]


class MergeRequestResult(Struct, frozen=True, kw_only=True, tag="merge_request"):
    """The patch passed the last checks and was submitted."""

    base_sha: CommitSha
    patch_sha256: Sha256


PhaseResult = (
    AnalysisResult
    | PrepareResult
    | GenerateResult
    | ReproductionResult
    | ImplementationResult
    | TestingResult
    | ReviewResult
    | MergeRequestResult
)


class ReportOutcome(StrEnum):
    """How a phase ended."""

    SUCCEEDED = "succeeded"
    NOT_REPRODUCED = "not_reproduced"
    """The honest no of reproduction."""
    REJECTED = "rejected"
    """The work was done and a guard or test refused it; the reason says which."""
    FAILED = "failed"
    """The phase could not be done: limits, tools, infrastructure."""


class EndedBy(StrEnum):
    """What ended a phase that could not be done. People's next step depends on it, not on the phase alone."""

    PHASE = "phase"
    """The phase's own work: what to do next depends on the phase."""
    BUDGET = "budget"
    """The run's or the day's budget can't fund another call."""
    LIMITS = "limits"
    """The agent used up its turns, its money or its time."""
    DECLINED = "declined"
    """The model would not work on the ticket."""
    LENGTH = "length"
    """The conversation grew larger than the model can read."""
    NOT_PERMITTED = "not_permitted"
    """The gateway or the model's API refused the call for good."""
    UNAVAILABLE = "unavailable"
    """The model could not be asked: overload, or gateway or API away."""
    COMMANDS = "commands"
    """The repository's own commands, as the catalogue names them, do not work."""
    RUNNER = "runner"
    """The runner does not give what a job needs, or a repository can't be cloned there."""
    UNDELIVERED = "undelivered"
    """The report did not reach the receiver, and what is left of it can't be taken."""
    DEFECT = "defect"
    """Our own program broke."""


class PhaseReport(Struct, frozen=True, kw_only=True):
    """What a job says it did. It counts only when GitLab says that the job succeeded."""

    version: int = 1
    run: RunId
    iteration: int
    phase: Phase
    repository: ProjectPath | None
    outcome: ReportOutcome
    reason: str
    """A sentence for people."""
    result: PhaseResult | None
    """None only when the phase failed before it had one."""
    artifacts: tuple[Artifact, ...] = ()
    agent: str | None = None
    model: str | None = None
    turns: int = 0
    job_seconds: float = 0.0
    stripped_characters: int = 0
    """Invisible characters taken out of untrusted text before the model saw it."""
    refused_calls: int = 0
    """The model's tool calls that its phase does not permit, and submissions that a guard did not take."""
    ended_by: EndedBy = EndedBy.PHASE


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one agent conversation; whichever is reached first ends it."""

    max_turns: int = 40
    max_cost_usd: Decimal = Decimal("3.00")
    max_seconds: int = 1800
