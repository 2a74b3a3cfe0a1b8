"""Build the view of the fix in one repository from its accepted reports. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from pipelines.language import (
    AnalysisResult,
    ImplementationResult,
    Phase,
    PhaseResult,
    PrepareResult,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    ReviewResult,
    TestingResult,
    TestWord,
)
from pipelines.proof import statement
from pipelines.proof.red_green import judge
from receiver.notes import check_figures
from receiver.notes.view import Change, FixView, Measured, Review
from receiver.store.story import Report


def of(repository: ProjectPath, reports: Iterable[Report]) -> FixView:
    """Return the view of a repository's fix; reports that were not accepted do not count."""
    counted = {r.phase: r.result for r in reports if r.repository == repository and r.state == "accepted" and r.result}
    fix = FixView(repository=repository)
    for result in counted.values():
        fix = _with(fix, result)
    shown = judge(
        _only(counted.get(Phase.REPRODUCTION), ReproductionResult),
        _only(counted.get(Phase.TESTING), TestingResult),
        _only(counted.get(Phase.IMPLEMENTATION), ImplementationResult),
    )
    return replace(fix, is_red=shown.is_red, is_green=shown.is_green)


Result = TypeVar("Result", bound=Struct)


def _only(result: PhaseResult | None, kind: type[Result]) -> Result | None:
    return result if isinstance(result, kind) else None


def _with(fix: FixView, result: PhaseResult) -> FixView:
    match result:
        case PrepareResult():
            before = Measured(
                unit=result.baseline,
                integration=result.integration,
                coverage=fix.before.coverage or result.coverage,
                lint=result.lint,
            )
            return replace(fix, before=before)
        case ReproductionResult():
            return replace(fix, symptom=result.symptom, steps=result.steps)
        case ImplementationResult(fix=said, files=files, insertions=insertions, deletions=deletions):
            changes = tuple(Change(file=one.file, rationale=one.rationale) for one in said.files)
            return replace(
                fix,
                summary=said.summary,
                size=check_figures.size(len(files), insertions, deletions),
                changes=changes,
                risk=said.risk,
                rollback=said.rollback,
                documentation=said.documentation,
            )
        case TestingResult():
            return _tested(fix, result)
        case ReviewResult():
            return replace(fix, review=Review(summary=result.summary, findings=result.findings))
        case _:
            return fix


def _tested(fix: FixView, result: TestingResult) -> FixView:
    after = Measured(unit=result.suite, integration=result.integration, coverage=result.coverage, lint=result.lint)
    return replace(
        fix,
        # the testing job measured both on one machine, so prefer its figure to that of `prepare`
        before=replace(fix.before, coverage=result.coverage_before or fix.before.coverage),
        after=after,
        changed_coverage=result.changed_coverage,
        shown=statement.shown(result),
        not_shown=statement.not_shown(result),
        contradicted=tuple(one for one in result.proof.tests if one.word is TestWord.CONTRADICTED),
        needs_people=statement.needs_people(result),
    )


def finding(report: Report) -> str:
    """Return the result of a report in a few words."""
    match report.result:
        case AnalysisResult(plan=plan) if plan.location is not None:
            return f"{plan.location.file}:{plan.location.line}"
        case ReproductionResult(reproduced=True):
            return f"red, {report.result.failure}"
        case ImplementationResult(files=files, insertions=insertions, deletions=deletions):
            return check_figures.size(len(files), insertions, deletions)
        case TestingResult(suite=suite) if report.outcome == ReportOutcome.SUCCEEDED:
            return f"green, {check_figures.suite(suite)}"
        case ReviewResult(findings=findings):
            return f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
        case _:
            return report.reason
