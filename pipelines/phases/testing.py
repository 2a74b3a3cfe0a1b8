"""`testing`: the patch on fresh checkouts, judged by the reproduction and the repository's own suite. No model."""

from __future__ import annotations

from pipelines.job.errors import InputMismatchError, JobError
from pipelines.job.job import Job
from pipelines.job.suite import new_failures, regression, run_suite
from pipelines.job.workspace import read_input
from pipelines.model import (
    ArtifactKind,
    Phase,
    PhaseReport,
    ReportOutcome,
    ReproductionResult,
    TestingResult,
)
from pipelines.phases.evidence import before_and_after, script_of
from pipelines.wire import sha256


def run(job: Job) -> PhaseReport:
    """Return before and after in one place. The reproduction runs byte for byte as it was accepted."""
    reproduction = job.spec.reproduction
    if reproduction is None:
        raise JobError("The receiver has no accepted reproduction for this repository.")
    if not reproduction.reproduced:
        return job.report(ReportOutcome.NOT_REPRODUCED, "Nothing was reproduced, so there is nothing to test.", None)
    patch = read_input(job.project_dir, job.spec.inputs, phase=Phase.IMPLEMENTATION, kind=ArtifactKind.PATCH)
    test = read_input(job.project_dir, job.spec.inputs, phase=Phase.REPRODUCTION, kind=ArtifactKind.REPRODUCTION_TEST)
    if sha256(test) != reproduction.test_sha256:
        raise InputMismatchError("The reproduction test is not the one that was accepted.")
    return _judged(job, patch, test, reproduction)


def _judged(job: Job, patch: bytes, test: bytes, reproduction: ReproductionResult) -> PhaseReport:
    # The suite last: code of the patch runs in it as the owner of the folder, so nothing after it may use the folder.
    tried = before_and_after(job, script_of(test, reproduction), patch)
    before, after = tried.before, tried.after
    suite = run_suite(tried.patched, name="suite")
    result = TestingResult(
        base_sha=job.source.base_sha,
        patch_sha256=sha256(patch),
        test_sha256=reproduction.test_sha256 or sha256(test),
        reproduction_before_failed=before.holds,
        reproduction_after_passed=after.holds,
        suite=suite,
        new_failures=() if suite is None else new_failures(suite, job.spec.baseline),
    )
    worse = None if suite is None else regression(suite, job.spec.baseline)
    if not before.holds:
        return job.report(
            ReportOutcome.REJECTED, f"Without the patch the reproduction does not fail: {before.reason}", result
        )
    if not after.holds:
        return job.report(ReportOutcome.REJECTED, after.reason, result)
    if worse is not None:
        return job.report(ReportOutcome.REJECTED, worse, result)
    tests = "" if suite is None else f"; suite {suite.passed} passed"
    return job.report(ReportOutcome.SUCCEEDED, f"GREEN with the patch, RED without{tests}.", result)
