"""Say whether a run's accepted reports prove its fix: the same patch reproduced, tested and submitted. No I/O.

The figures of a testing report are judged again by the rules that its job had: a job that says success against them is
found out here.
"""

from __future__ import annotations

from pipelines.language import (
    ImplementationResult,
    MergeRequestResult,
    Phase,
    PhaseReport,
    PrepareResult,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    TestingResult,
)
from pipelines.language.policy import Policy
from pipelines.proof.red_green import judge
from pipelines.proof.regression import Comparison, regressions
from receiver.workflow.run import Run

NEEDED = (Phase.REPRODUCTION, Phase.TESTING, Phase.MERGE_REQUEST)
"""Phases whose success opens a merge request; implementation is proved by the hash that testing names."""


def waits_for(run: Run, repository: ProjectPath) -> tuple[Phase, ...]:
    """Return the phases of a repository that have not succeeded yet."""
    return tuple(phase for phase in NEEDED if not _succeeded(run.report(phase, repository)))


def is_ready(run: Run) -> bool:
    """Return whether everything in the plan's scope is proved. Merge requests are opened together."""
    return bool(run.repositories) and not any(waits_for(run, repository) for repository in run.repositories)


def contradiction(run: Run, repository: ProjectPath, *, policy: Policy) -> str | None:
    """Return what the reports of a repository disagree on, for people; None while they agree or some are missing."""
    reports = [report for phase in NEEDED if (report := run.report(phase, repository)) is not None]
    if all(report.outcome is ReportOutcome.NOT_REPRODUCED for report in reports):
        return None  # an honest no is all that they say
    match [report.result for report in reports]:
        case [
            ReproductionResult() as reproduction,
            TestingResult() as testing,
            MergeRequestResult() as submitted,
        ]:
            gaps = judge(reproduction, testing, submitted).gaps
            return next(iter([*gaps, *_figures(run, repository, testing, policy)]), None)
        case [_, _, _]:
            return "a report's result is not the one of its phase"
        case _:
            return None


def _figures(run: Run, repository: ProjectPath, testing: TestingResult, policy: Policy) -> tuple[str, ...]:
    """Return what speaks against the patch in the figures of a testing report that says success."""
    prepared = run.report(Phase.PREPARE, repository)
    before = prepared.result if prepared is not None and isinstance(prepared.result, PrepareResult) else None
    if before is not None and before.base_sha != testing.base_sha:
        return ("the baseline is of another commit than the patch was tested on",)
    if before is not None and testing.coverage_before not in {None, before.coverage}:
        return ("testing compares coverage with figures that prepare did not report",)
    comparison = Comparison(
        before=before, after=testing, policy=policy, removed=_removed(run.report(Phase.IMPLEMENTATION, repository))
    )
    return tuple(f"testing succeeded against its figures: {why.rstrip('.')}" for why in regressions(comparison))


def _removed(implementation: PhaseReport | None) -> int:
    result = implementation.result if implementation is not None else None
    return result.deletions if isinstance(result, ImplementationResult) else 0


def _succeeded(report: PhaseReport | None) -> bool:
    return report is not None and report.outcome is ReportOutcome.SUCCEEDED
