"""Make a diagnosis of a report that says no. Performs no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipelines.language import (
    ArtifactKind,
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
    if isinstance(report.result, TestingResult):
        found = report.result
        tests = tuple(dict.fromkeys((*found.new_failures, *contradicted(found), *found.missing)))
        failed = found.failed
    return Diagnosis(
        kind=_kind(report, tests),
        phase=report.phase,
        repository=report.repository,
        tests=tests,
        messages=(report.reason,) if report.reason else (),
        failed=failed,
        location=_location(report, failed),
        log=next((file.sha256 for file in report.artifacts if file.kind is ArtifactKind.LOG), None),
    )


def _location(report: PhaseReport, failed: Sequence[FailedTest]) -> Location | None:
    """Return where the first test failed that says it."""
    place = next((one for one in failed if one.file), None)
    if place is None or report.repository is None:
        return None
    return Location(repository=report.repository, file=place.file, line=place.line)


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
