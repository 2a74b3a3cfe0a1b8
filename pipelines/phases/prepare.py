"""`prepare`: install the unpatched repository and run its suite, so that later failures can be told from old ones."""

from __future__ import annotations

from pipelines.job.job import Job
from pipelines.job.processes import Role
from pipelines.job.suite import run_suite
from pipelines.model import PhaseReport, PrepareResult, ReportOutcome


def run(job: Job) -> PhaseReport:
    """Return the baseline."""
    place = job.workplace("work", Role.WORK)
    place.install()
    baseline = run_suite(place, name="baseline")
    place.end()
    place.return_cache(job.project_dir)
    result = PrepareResult(base_sha=job.source.base_sha, baseline=baseline)
    if baseline is None:
        return job.report(ReportOutcome.SUCCEEDED, "Installed; the catalogue names no test command.", result)
    failing = baseline.failed + baseline.errors
    reason = f"Installed; {baseline.passed} tests pass before the fix" + (f", {failing} fail." if failing else ".")
    return job.report(ReportOutcome.SUCCEEDED, reason, result)
