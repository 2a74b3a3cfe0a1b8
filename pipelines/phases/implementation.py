"""`implementation`: an agent edits its work folder; the job takes what changed and holds it against the rules."""

from __future__ import annotations

from typing import Any, Final

from pipelines.agents.loop import Submitted
from pipelines.agents.model_call import AgentError
from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.role_users import Role
from pipelines.job.workspace.changes import collect_changes
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job import Job
from pipelines.language import (
    EndedBy,
    FixSubmission,
    PhaseReport,
    ReportOutcome,
)
from pipelines.language.change_set import ChangeSet, ChangeSetError, read_change_set
from pipelines.language.remedy import Maker
from pipelines.phases import applied_remedy
from pipelines.phases.conversation import hold
from pipelines.phases.patch_guard import guarded
from pipelines.phases.patch_report import kept_patch, told
from pipelines.phases.submission import SubmissionError, decoded


def run(job: Job) -> PhaseReport:
    """Return the patch with its reasons, or why it was rejected."""
    remedy = job.spec.remedy
    if remedy is not None and remedy.made_by is Maker.COMMAND:
        return applied_remedy.run(job, remedy, previous=_previous(job))
    place = job.check_out("work", Role.WORK, change=_previous(job))
    place.install()
    attempt = _Attempt(job, place)
    try:
        hold(job, place, submit=attempt.submit)
    except AgentError as error:
        if not attempt.refused or error.ended_by not in _GAVE_UP:
            raise
        # What people have to know is why the patch was not taken, not how the conversation ended after that.
        reason = f"The patch is refused: {' '.join(attempt.refused)} The agent did not mend that. {error}"
        return job.report(ReportOutcome.REJECTED, reason, None)
    if attempt.fix is None:
        raise JobError("The conversation ended without a fix.")
    return attempt.report(attempt.fix)


_GAVE_UP: Final = frozenset({EndedBy.PHASE, EndedBy.LIMITS, EndedBy.LENGTH})
"""Ends of a conversation that come after the work was tried, rather than before it could be."""


def _previous(job: Job) -> ChangeSet | None:
    """Return the previous attempt's change set, or None; a set of an old format counts as missing."""
    data = job.spec.previous_patch
    if data is None:
        return None
    try:
        return read_change_set(data)
    except ChangeSetError as error:
        job.log.state(f"the attempt before can't be continued: {error}")
        return None


class _Attempt:
    """What changed in the work folder, and what became of handing it in."""

    def __init__(self, job: Job, place: Checkout) -> None:
        self._job = job
        self._place = place
        self.fix: FixSubmission | None = None
        self.refused: tuple[str, ...] = ()
        """What the guards said of the patch that was handed in last."""

    def submit(self, given: dict[str, Any]) -> Submitted:
        """Take the fix if the guards let the patch pass and nothing is left unexplained."""
        try:
            fix = decoded(given, FixSubmission)
            change = self._change()
        except (SubmissionError, JobError) as error:
            return Submitted(accepted=False, answer=str(error))
        self.refused = guarded(change, self._job)
        if found := [*self.refused, *_unexplained(fix, change)]:
            return Submitted(accepted=False, answer=" ".join(found))
        self.fix = fix
        return Submitted(accepted=True, answer="The fix is accepted; the patch is tested next.")

    def report(self, fix: FixSubmission) -> PhaseReport:
        """Return the phase's report. The change is taken again: only now no process can change the folder any more."""
        job, change = self._job, self._change()
        result = kept_patch(job, change, fix)
        refused = guarded(change, job)
        if refused:
            return job.report(ReportOutcome.REJECTED, f"The patch is refused: {' '.join(refused)}", result)
        if job.spec.remedy is not None and (red := applied_remedy.verified_red(job, job.spec.remedy, change)):
            return red
        return job.report(ReportOutcome.SUCCEEDED, told(result), result)

    def _change(self) -> ChangeSet:
        return collect_changes(self._job.source, self._place.folder, launcher=self._job.launcher, role=Role.WORK)


def _unexplained(fix: FixSubmission, change: ChangeSet) -> list[str]:
    """Return what the submission leaves open, a sentence each."""
    found = []
    missing = sorted({file.path for file in change.files} - {entry.file for entry in fix.files})
    if missing:
        found.append(f"The submission gives no rationale for {', '.join(missing)[:500]}.")
    if not fix.documentation.strip():
        found.append("Say in `documentation` which documentation was updated for users, or why none had to be.")
    return found
