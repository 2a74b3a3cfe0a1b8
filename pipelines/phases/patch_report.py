"""Keep a patch as the job's artifacts, and describe it as a result. Judges nothing."""

from __future__ import annotations

from pipelines.job.workspace.changes import show_changes
from pipelines.job.workspace.job import Job
from pipelines.language import ArtifactKind, FixSubmission, ImplementationResult
from pipelines.language.change_set import ChangeSet, write_change_set
from pipelines.patch import is_documentation
from pipelines.phases.patch_guard import measured


def kept_patch(job: Job, change: ChangeSet, fix: FixSubmission) -> ImplementationResult:
    """Keep a change with its diff for people, and return it with its reasons."""
    kept = job.artifacts.keep(ArtifactKind.CHANGE_SET, "change-set.json", write_change_set(change))
    job.artifacts.keep(ArtifactKind.PATCH, "fix.patch", show_changes(job.source, change))
    size = measured(change, job)
    return ImplementationResult(
        base_sha=job.source.base_sha,
        patch_sha256=kept.sha256,
        files=tuple(file.path for file in change.files),
        insertions=size.insertions,
        deletions=size.deletions,
        fix=fix,
        documents=tuple(file.path for file in change.files if is_documentation(file.path)),
    )


def told(result: ImplementationResult) -> str:
    """Return the size of a patch as a sentence."""
    return f"{len(result.files)} files, +{result.insertions} -{result.deletions}."
