"""`merge_request`: the last look at the patch, without a model; the receiver writes branch and merge request itself."""

from __future__ import annotations

from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import read_input
from pipelines.job.workspace.repositories import check_out
from pipelines.language import (
    ArtifactKind,
    MergeRequestResult,
    Phase,
    PhaseReport,
    ReportOutcome,
)
from pipelines.language.wire import sha256
from pipelines.patch import PatchError, inspect
from pipelines.phases.patch_guard import guarded


def run(job: Job) -> PhaseReport:
    """Return that the patch may be submitted, or why not."""
    if job.spec.reproduction is not None and not job.spec.reproduction.reproduced:
        return job.report(ReportOutcome.NOT_REPRODUCED, "Nothing was reproduced, so nothing is opened.", None)
    patch = read_input(job.project_dir, job.spec.inputs, phase=Phase.IMPLEMENTATION, kind=ArtifactKind.PATCH)
    result = MergeRequestResult(base_sha=job.source.base_sha, patch_sha256=sha256(patch))
    try:
        summary = inspect(patch)
    except PatchError as error:
        return job.report(ReportOutcome.REJECTED, f"The patch can't be read: {error}", result)
    if found := guarded(summary, job):
        return job.report(ReportOutcome.REJECTED, f"The patch is refused: {' '.join(found)}", result)
    check_out(job.source, job.root / "work", patch=patch)
    job.artifacts.keep(ArtifactKind.PATCH, "fix.patch", patch)
    reason = f"{len(summary.files)} files, +{summary.insertions} -{summary.deletions}, no objections; submitted."
    return job.report(ReportOutcome.SUCCEEDED, reason, result)
