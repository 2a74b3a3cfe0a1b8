"""Why an iteration begins, and what it reuses of the ones before it. Pure.

What agents know of a repository is kept by commit, so every attempt reuses it and no cause lists it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from pipelines.language import (
    CommitSha,
    Diagnosis,
    ImplementationResult,
    MergeRequestResult,
    Phase,
    PhaseReport,
    PrepareResult,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    Sha256,
    TestingResult,
)
from pipelines.language.catalogue import Catalogue
from receiver.workflow.person import AccountId
from receiver.workflow.run import Attempt, Cause, Failure, Prescription, Reused, Run

REUSES: Final[Mapping[Cause, frozenset[Phase]]] = {
    Cause.ADMITTED: frozenset(),
    Cause.ANSWERED: frozenset(),
    Cause.REPLANNED: frozenset(),
    Cause.APPROVED: frozenset({Phase.ANALYSIS, Phase.PREPARE}),
    **dict.fromkeys(
        (Cause.SENT_BACK, Cause.RETRIED, Cause.REVISED, Cause.RESUMED),
        frozenset({Phase.ANALYSIS, Phase.PREPARE, Phase.REPRODUCTION}),
    ),
    Cause.FAILED: frozenset(Phase) - {Phase.GENERATE},
    Cause.HEALED: frozenset(Phase) - {Phase.GENERATE},
    Cause.INTERRUPTED: frozenset(Phase) - {Phase.GENERATE},
}
"""Phases whose accepted reports still hold for an attempt of that cause, unless they are redone."""


def next_attempt(
    run: Run,
    cause: Cause,
    *,
    catalogue: Catalogue,
    diagnoses: tuple[Diagnosis, ...] = (),
    approved_by: AccountId | None = None,
    without: Callable[[PhaseReport], bool] = lambda _: False,
    failure: Failure | None = None,
    remedies: tuple[Prescription, ...] = (),
) -> Attempt:
    """Return the iteration that begins now. `without` says which reports are made again though they hold."""
    return Attempt(
        number=next_number(run),
        cause=cause,
        diagnoses=diagnoses,
        approved_by=approved_by,
        reuses=tuple(
            reused
            for report in run.reports
            if report.phase in REUSES[cause] and report.outcome is ReportOutcome.SUCCEEDED and not without(report)
            for reused in [_reused(report, run, catalogue)]
            if reused is not None
        ),
        failure=failure,
        remedies=remedies,
    )


def next_number(run: Run) -> int:
    """Return the number of the iteration that begins next."""
    return run.iteration + 1


def _reused(report: PhaseReport, run: Run, catalogue: Catalogue) -> Reused | None:
    key = reuse_key(report, base_shas=run.base_shas, catalogue=catalogue, client=report.client)
    if key is None and report.phase is not Phase.ANALYSIS:
        return None
    return Reused(phase=report.phase, repository=report.repository, iteration=report.iteration, key=key)


def reuse_key(
    report: PhaseReport, *, base_shas: Mapping[ProjectPath, CommitSha], catalogue: Catalogue, client: str
) -> Sha256 | None:
    """Return the hash of all that a baseline or a reproduction depends on; None where it can't be reused.

    `client` is the version of the job client. A report that does not name it comes from the previous release, and is
    made again. All base commits count, because a reproduction is served beside other repositories.
    """
    match report.result:
        case PrepareResult(base_sha=base):
            test = ""
        case ReproductionResult(base_sha=base, reproduced=True, test_sha256=str() as test):
            pass
        case (
            ImplementationResult(base_sha=base, patch_sha256=test)
            | MergeRequestResult(base_sha=base, patch_sha256=test)
        ):
            pass
        case TestingResult(base_sha=base, patch_sha256=patch, test_sha256=reproduction):
            test = f"{patch} {reproduction}"
        case _:
            return None
    repository = None if report.repository is None else catalogue.repositories.get(report.repository)
    if repository is None or not client or base != base_shas.get(repository.project):
        return None
    parts = (report.phase, sorted(base_shas.items()), catalogue.sha256, repository.stack.image, client, test)
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
