"""What a repository's own CI makes of a merge request of ours: words of ours for GitLab's statuses. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from receiver.workflow.lifecycle import Progress, meaning


class TargetPipelineStatus(StrEnum):
    """What the repository's own CI does with a merge request."""

    UNKNOWN = "unknown"
    WAITS = "waits"
    """For an approval: the commit says that no pipeline is wanted."""
    WORKING = "working"
    PASSED = "passed"
    FAILED = "failed"


_BY_PROGRESS: Final[dict[Progress, TargetPipelineStatus]] = {
    Progress.WAITING: TargetPipelineStatus.WORKING,
    Progress.WORKING: TargetPipelineStatus.WORKING,
    Progress.SUCCEEDED: TargetPipelineStatus.PASSED,
    Progress.FAILED: TargetPipelineStatus.FAILED,
    Progress.CANCELLED: TargetPipelineStatus.FAILED,
    Progress.SKIPPED: TargetPipelineStatus.UNKNOWN,
}


def of_status(status: str | None) -> TargetPipelineStatus:
    """Return what a GitLab status of the newest own pipeline for our commit means; None: there is no such pipeline."""
    return TargetPipelineStatus.UNKNOWN if status is None else _BY_PROGRESS[meaning(status).progress]
