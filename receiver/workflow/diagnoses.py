"""Make a diagnosis of a report that says no. Performs no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipelines.language import (
    ArtifactKind,
    Check,
    CheckOutput,
    Diagnosis,
    DiagnosisKind,
    EndedBy,
    FailedTest,
    Location,
    Phase,
    PhaseReport,
    ReportOutcome,
    TestingResult,
)
from pipelines.proof.check_lines import one_line
from pipelines.proof.statement import contradicted

_REJECTED: Final[dict[Phase, DiagnosisKind]] = {
    Phase.REPRODUCTION: DiagnosisKind.REPRODUCTION,
    Phase.IMPLEMENTATION: DiagnosisKind.REFUSED_CHANGE,
    Phase.TESTING: DiagnosisKind.REGRESSION,
    Phase.MERGE_REQUEST: DiagnosisKind.REFUSED_CHANGE,
}
"""What it means that a guard or a test refused the work of a phase."""


def of_report(report: PhaseReport) -> Diagnosis:
    """Return what went wrong according to a report that does not count, or that counts as a no."""
    tests: tuple[str, ...] = ()
    failed: tuple[FailedTest, ...] = ()
    output: tuple[CheckOutput, ...] = ()
    if isinstance(report.result, TestingResult):
        found = report.result
        tests = tuple(dict.fromkeys((*found.new_failures, *contradicted(found), *found.missing)))
        failed = found.failed
        output = _output(found)
    return Diagnosis(
        kind=_kind(report, tests),
        phase=report.phase,
        repository=report.repository,
        tests=tests,
        messages=(report.reason,) if report.reason else (),
        failed=failed,
        output=output,
        location=_location(report, failed),
        log=next((file.sha256 for file in report.artifacts if file.kind is ArtifactKind.LOG), None),
    )


def _location(report: PhaseReport, failed: Sequence[FailedTest]) -> Location | None:
    """Return where the first test failed that says it."""
    place = next((one for one in failed if one.file), None)
    if place is None or report.repository is None:
        return None
    return Location(repository=report.repository, file=place.file, line=place.line)


def _output(found: TestingResult) -> tuple[CheckOutput, ...]:
    """Return what the checks printed that say no."""
    lint = found.lint.lines if found.lint is not None and found.lint.exit_code else ()
    suites = (found.suite, found.integration)
    said = (line for one in found.failed if (line := one_line(one.message)))
    tests = (*said, *(line for one in suites if one is not None for line in one.lines))
    return tuple(
        CheckOutput(check=check, lines=lines) for check, lines in ((Check.LINT, lint), (Check.TESTS, tests)) if lines
    )


def _kind(report: PhaseReport, tests: tuple[str, ...]) -> DiagnosisKind:
    if report.ended_by is not EndedBy.PHASE:
        return DiagnosisKind.INTERRUPTED
    if report.outcome is not ReportOutcome.REJECTED:
        return DiagnosisKind.UNFINISHED
    result = report.result
    if isinstance(result, TestingResult):
        if not (result.reproduction_before_failed and result.reproduction_after_passed):
            return DiagnosisKind.REPRODUCTION
        if tests:
            return DiagnosisKind.FAILING_TESTS
    return _REJECTED.get(report.phase, DiagnosisKind.UNFINISHED)
