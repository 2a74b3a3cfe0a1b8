"""What a repository's own CI makes of a merge request of ours: words of ours for GitLab's statuses. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from receiver.workflow.lifecycle import Progress, meaning


class OwnPipeline(StrEnum):
    """What the repository's own CI does with a merge request."""

    UNKNOWN = "unknown"
    WAITS = "waits"
    """For an approval: the commit says that no pipeline is wanted."""
    WORKING = "working"
    PASSED = "passed"
    FAILED = "failed"


_BY_PROGRESS: Final[dict[Progress, OwnPipeline]] = {
    Progress.WAITING: OwnPipeline.WORKING,
    Progress.WORKING: OwnPipeline.WORKING,
    Progress.SUCCEEDED: OwnPipeline.PASSED,
    Progress.FAILED: OwnPipeline.FAILED,
    Progress.CANCELLED: OwnPipeline.FAILED,
    Progress.SKIPPED: OwnPipeline.UNKNOWN,
}


def of_status(status: str | None) -> OwnPipeline:
    """Return what a GitLab status of the newest own pipeline for our commit means; None: there is no such pipeline."""
    return OwnPipeline.UNKNOWN if status is None else _BY_PROGRESS[meaning(status).progress]
