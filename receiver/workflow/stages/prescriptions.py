"""Which remedies mend an attempt that failed: made by a command or an agent, verified before people see them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from pipelines.language import Phase, PhaseReport, ReportOutcome
from pipelines.language.catalogue import Catalogue
from pipelines.language.remedy import Action, Maker, Remedy, Verification
from pipelines.language.repository import Repository
from receiver import limits
from receiver.healing.matching import Matched, remedies_for
from receiver.workflow import diagnoses
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import Prescription, Run


def remedies(run: Run, causes: Sequence[PhaseReport], catalogue: Catalogue) -> tuple[Prescription, ...]:
    """Return a remedy for each repository that failed; none unless there is one for all of them."""
    if run.healings >= limits.HEALINGS:
        return ()
    found = tuple(one for report in causes for one in [_of(report, run, catalogue)] if one is not None)
    return found if len(found) == len(causes) else ()


def _of(report: PhaseReport, run: Run, catalogue: Catalogue) -> Prescription | None:
    repository = None if report.repository is None else catalogue.repositories.get(report.repository)
    fix = run.report(Phase.IMPLEMENTATION, report.repository)
    if repository is None or report.phase is not Phase.TESTING or fix is None or not _counts(fix):
        return None
    matched = remedies_for(diagnoses.of_report(report), stack=repository.stack.preset, healing=catalogue.healing)
    return next(
        (
            Prescription(
                repository=repository.project,
                remedy=one.remedy.id,
                tier=one.remedy.tier,
                confidence=one.remedy.confidence,
                action=one.action,
            )
            for one in matched
            if _is_applied(one, repository) and not _was_tried(one.remedy, repository, run)
        ),
        None,
    )


def _counts(fix: PhaseReport) -> bool:
    return fix.outcome is ReportOutcome.SUCCEEDED and fix.result is not None


MADE: Final = frozenset({Action.COMMIT, Action.SUGGEST, Action.DRAFT, Action.PROPOSE})
"""Actions for which a change is made and verified."""


def _is_applied(one: Matched, repository: Repository) -> bool:
    """Return whether its change can be made here and be shown to heal: by the repository's command, or by an agent."""
    remedy = one.remedy
    if one.action not in MADE or remedy.verified_by is not Verification.FAILING_COMMAND:
        return False
    match remedy.made_by:
        case Maker.COMMAND:
            return remedy.command is not None and getattr(repository.stack.commands, remedy.command) is not None
        case Maker.AGENT:
            return one.action is not Action.COMMIT
        case Maker.PEOPLE:
            return False
        case never:
            assert_never(never)


def _was_tried(remedy: Remedy, repository: Repository, run: Run) -> bool:
    """Return whether it was verified red before, or was just applied and did not do."""
    own = [one for one in run.remedies if (one.repository, one.remedy) == (repository.project, remedy.id)]
    return any(one.state is RemedyState.RED or one.iteration == run.iteration for one in own)
