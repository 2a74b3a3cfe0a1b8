"""What a phase found or made, one shape for each phase."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from pipelines.language.fields import CommitSha, Sha256
from pipelines.language.plan import Plan
from pipelines.language.proof import Proof
from pipelines.language.submissions import Finding, FixSubmission
from pipelines.language.suites import CheckResult, Coverage, SuiteResult


class Framework(StrEnum):
    """What runs a reproduction."""

    PYTEST = "pytest"
    """pytest-playwright, also with Playwright's API client instead of a page."""
    PLAYWRIGHT_TEST = "playwright_test"
    """`@playwright/test` in TypeScript or JavaScript, as the repository itself has it."""


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
    """A change and its reasons."""

    base_sha: CommitSha
    patch_sha256: Sha256
    files: tuple[str, ...]
    insertions: int
    deletions: int
    fix: FixSubmission
    documents: tuple[str, ...] = ()
    """Those of the files that are documentation."""


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
    """In the baseline, not run with the patch, and not contradicted."""
    proof: Proof = Proof()
    integration: SuiteResult | None = None
    coverage_before: Coverage | None = None
    coverage: Coverage | None = None
    """Of all lines, with the patch."""
    changed_coverage: Coverage | None = None
    """Of the lines that the patch adds or changes."""
    lint: CheckResult | None = None
    failure_messages: dict[str, str] = {}
    """What of the new failures said, in one line each, by test. Untrusted."""


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
