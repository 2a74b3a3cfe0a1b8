"""What a review of tested patches sends back to the implementer: findings that must be fixed, once for a run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pipelines.language import (
    Diagnosis,
    DiagnosisKind,
    Finding,
    Location,
    Phase,
    ProjectPath,
    ReportOutcome,
    ReviewResult,
    Severity,
    TestingResult,
)
from pipelines.language.policy import Policy, ReviewMode
from pipelines.proof.statement import not_shown
from receiver.workflow.run import Run

LONGEST: Final = 20_000
"""Characters of findings that the next attempt is told."""
MOST_OF_A_CLAUSE: Final = 1_000
"""Characters of one clause about what was not shown."""


def to_be_fixed(run: Run) -> tuple[tuple[ProjectPath, Finding], ...]:
    """Return the findings on patches as they were tested that must be fixed, by repository."""
    return tuple(
        (repository, one)
        for repository in run.repositories
        for one in _of(run, repository)
        if one.severity is Severity.MUST_FIX
    )


def goes_back(run: Run, policy: Policy) -> bool:
    """Return whether the fix is made again because of a review, instead of being opened."""
    may = policy.review is ReviewMode.ONCE and not run.was_sent_back and run.fixes_tried < policy.iterations
    return may and bool(to_be_fixed(run))


def diagnoses(run: Run) -> tuple[Diagnosis, ...]:
    """Return what the next attempt is told of the one before, cut to a bounded length in all."""
    found: list[Diagnosis] = []
    left = LONGEST
    for repository, finding in to_be_fixed(run):
        claim = finding.claim[:left]
        suggestion = f"Suggestion: {finding.suggestion}"[: left - len(claim)]
        left -= len(claim) + len(suggestion)
        messages = tuple(text for text in (claim, suggestion) if text)
        if messages:
            found.append(_diagnosis(repository, finding, messages))
    return (*found, *_not_shown(run, dict.fromkeys(repository for repository, _ in to_be_fixed(run))))


def _not_shown(run: Run, repositories: Iterable[ProjectPath]) -> Iterator[Diagnosis]:
    """Yield what testing did not show of the patches that are gone on with."""
    for repository in repositories:
        tested = run.report(Phase.TESTING, repository)
        if tested is not None and isinstance(tested.result, TestingResult) and (said := not_shown(tested.result)):
            yield Diagnosis(
                kind=DiagnosisKind.NOT_SHOWN,
                phase=Phase.TESTING,
                repository=repository,
                messages=tuple(f"{clause[:MOST_OF_A_CLAUSE]}." for clause in said),
            )


def _of(run: Run, repository: ProjectPath) -> Iterator[Finding]:
    review, tested = run.report(Phase.REVIEW, repository), run.report(Phase.TESTING, repository)
    match review.result if review else None, tested.result if tested else None:
        case ReviewResult() as read, TestingResult() as test if read.patch_sha256 == test.patch_sha256:
            if review is not None and review.outcome is ReportOutcome.SUCCEEDED:
                yield from read.findings
        case _:
            return


def _diagnosis(repository: ProjectPath, finding: Finding, messages: tuple[str, ...]) -> Diagnosis:
    return Diagnosis(
        kind=DiagnosisKind.REVIEW_FINDING,
        phase=Phase.REVIEW,
        repository=repository,
        messages=messages,
        location=Location(repository=repository, file=finding.file, line=finding.line),
    )
