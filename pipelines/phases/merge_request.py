"""`merge_request`: the last look at the patch, without a model; the receiver writes branch and merge request itself."""

from __future__ import annotations

from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import read_change
from pipelines.language import (
    ArtifactKind,
    MergeRequestResult,
    PhaseReport,
    ReportOutcome,
)
from pipelines.language.wire import sha256
from pipelines.phases.patch_guard import guarded, measured


def run(job: Job) -> PhaseReport:
    """Return that the patch may be submitted, or why not."""
    if job.spec.reproduction is not None and not job.spec.reproduction.reproduced:
        return job.report(ReportOutcome.NOT_REPRODUCED, "Nothing was reproduced, so nothing is opened.", None)
    change, data = read_change(job.project_dir, job.spec.inputs)
    result = MergeRequestResult(base_sha=job.source.base_sha, patch_sha256=sha256(data))
    if found := guarded(change, job):
        return job.report(ReportOutcome.REJECTED, f"The patch is refused: {' '.join(found)}", result)
    job.artifacts.keep(ArtifactKind.CHANGE_SET, "change-set.json", data)
    size = measured(change, job)
    reason = f"{size.files} files, +{size.insertions} -{size.deletions}, no objections; submitted."
    return job.report(ReportOutcome.SUCCEEDED, reason, result)
