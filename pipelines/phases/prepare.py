"""`prepare`: install the unpatched repository and run all its checks, so that what was wrong before can be told.

Tests run twice, each time in the checkout as it was installed: what does not end alike is flaky, and says nothing about
a patch.
"""

from __future__ import annotations

from pipelines.job.isolation.role_users import Role
from pipelines.job.report_formats.line_coverage import in_all
from pipelines.job.suites.checks import Checked, measured_lines, run_checks
from pipelines.job.suites.suite import run_again
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.repositories import read_tree
from pipelines.language import (
    ArtifactKind,
    Baseline,
    Coverage,
    KnownTests,
    PhaseReport,
    PrepareResult,
    ReportOutcome,
    SuiteResult,
)
from pipelines.language.wire import MAX_BLOB, encode
from pipelines.proof.known_tests import baseline_result, known_tests
from pipelines.proof.suite_run import Ran


def run(job: Job) -> PhaseReport:
    """Return the baseline."""
    place = job.check_out("work", Role.WORK)
    place.install()
    place.end()
    place.keep()
    checked = run_checks(place)
    lines = measured_lines(checked.unit, place, read_tree(job.source))
    place.end()
    place.return_cache(job.project_dir)
    unit, integration, baseline = _twice(job, place, checked)
    _keep(job, baseline)
    coverage = None if lines is None else in_all(lines)
    _say(job, coverage)
    result = PrepareResult(
        base_sha=job.source.base_sha,
        baseline=unit,
        integration=integration,
        coverage=coverage,
        lint=checked.lint,
    )
    return job.report(ReportOutcome.SUCCEEDED, _reason(result), result)


def _twice(job: Job, place: Checkout, checked: Checked) -> tuple[SuiteResult | None, SuiteResult | None, Baseline]:
    """Run the tests a second time; return unit and integration results of both runs, and the known tests."""
    named = [ran for ran in (checked.unit, checked.integration) if ran is not None and ran.outcomes]

    def again(first: Ran | None) -> tuple[SuiteResult | None, KnownTests | None]:
        if first is None:
            return None, None
        # Without names there is nothing to tell apart: only exit codes are compared then.
        known = known_tests(first, run_again(place, first, label="again") if first in named else first)
        for test in known.flaky[:20]:
            job.log.say(f"flaky: {test}")
        return baseline_result(first, known), known

    unit, known_unit = again(checked.unit)
    integration, known_integration = again(checked.integration)
    return unit, integration, Baseline(unit=known_unit, integration=known_integration)


def _keep(job: Job, baseline: Baseline) -> None:
    document = encode(baseline)
    if len(document) > MAX_BLOB:
        job.log.state(f"the names of all tests take {len(document)} bytes; without them, only their number is compared")
        return
    job.artifacts.keep(ArtifactKind.BASELINE, "baseline.json", document)


def _say(job: Job, coverage: Coverage | None) -> None:
    """Write what GitLab's `coverage` expression in templates/ci/phases.yml looks for."""
    if coverage is not None and coverage.percent is not None:
        job.log.state(f"total coverage: {coverage.percent:.2f} % of {coverage.coverable} lines")


def _reason(result: PrepareResult) -> str:
    parts = []
    for kind, suite in (("unit", result.baseline), ("integration", result.integration)):
        if suite is not None:
            failing = suite.failed + suite.errors
            parts.append(f"{suite.passed} {kind} tests pass" + (f", {failing} fail" if failing else ""))
    flaky = sum(len(suite.flaky) for suite in (result.baseline, result.integration) if suite is not None)
    if unread := sum(one.reports_unread for one in (result.baseline, result.integration) if one is not None):
        parts.append(f"{unread} reports can't be read")
    if flaky:
        parts.append(f"{flaky} are flaky")
    if result.coverage is not None and result.coverage.percent is not None:
        parts.append(f"coverage {result.coverage.percent:.2f} %")
    if result.lint is not None:
        parts.append("lint is clean" if result.lint.exit_code == 0 else f"lint ends with {result.lint.exit_code}")
    return f"Installed; {'; '.join(parts)}." if parts else "Installed; the catalogue names no test command."
