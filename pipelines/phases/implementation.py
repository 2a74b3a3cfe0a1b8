"""`implementation`: an agent edits its work folder; the job makes the patch of it and holds it against the guards."""

from __future__ import annotations

from typing import Any

from pipelines.agents.loop import Submitted
from pipelines.job.errors import JobError
from pipelines.job.job import Job
from pipelines.job.processes import Role
from pipelines.job.repositories import make_patch
from pipelines.model import (
    ArtifactKind,
    FixSubmission,
    ImplementationResult,
    PhaseReport,
    ReportOutcome,
)
from pipelines.patch import PatchError, PatchSummary, inspect, is_documentation
from pipelines.phases.conversation import hold
from pipelines.phases.guards import guarded
from pipelines.phases.submission import SubmissionError, decoded


def run(job: Job) -> PhaseReport:
    """Return the patch with its reasons, or why it was rejected."""
    place = job.workplace("work", Role.WORK, patch=job.spec.previous_patch)
    place.install()
    fixes: list[FixSubmission] = []

    def submit(given: dict[str, Any]) -> Submitted:
        try:
            fix = decoded(given, FixSubmission)
            summary = inspect(make_patch(job.source, place.folder, launcher=job.launcher, role=Role.WORK))
        except (SubmissionError, PatchError, JobError) as error:
            return Submitted(accepted=False, answer=str(error))
        if found := [*guarded(summary, job).refused, *_unexplained(fix, summary)]:
            return Submitted(accepted=False, answer=" ".join(found))
        fixes.append(fix)
        return Submitted(accepted=True, answer="The fix is accepted; the patch is tested next.")

    hold(job, place, submit=submit)
    if not fixes:
        raise JobError("The conversation ended without a fix.")
    # Made again: only now has every process ended that could still change the folder.
    patch = make_patch(job.source, place.folder, launcher=job.launcher, role=Role.WORK)
    kept = job.artifacts.keep(ArtifactKind.PATCH, "fix.patch", patch)
    summary = inspect(patch)
    examination = guarded(summary, job)
    result = ImplementationResult(
        base_sha=job.source.base_sha,
        patch_sha256=kept.sha256,
        files=tuple(file.path for file in summary.files),
        insertions=summary.insertions,
        deletions=summary.deletions,
        fix=fixes[-1],
        documents=tuple(file.path for file in summary.files if is_documentation(file.path)),
        notices=examination.noticed,
    )
    if examination.refused:
        return job.report(ReportOutcome.REJECTED, f"The patch is refused: {' '.join(examination.refused)}", result)
    reason = f"{len(summary.files)} files, +{summary.insertions} -{summary.deletions}."
    return job.report(ReportOutcome.SUCCEEDED, reason, result)


def _unexplained(fix: FixSubmission, summary: PatchSummary) -> list[str]:
    """Return what the submission leaves open, a sentence each."""
    found = []
    missing = sorted({file.path for file in summary.files} - {entry.file for entry in fix.files})
    if missing:
        found.append(f"The submission gives no rationale for {', '.join(missing)[:500]}.")
    if not fix.documentation.strip():
        found.append("Say in `documentation` which documentation was updated for users, or why none had to be.")
    return found
