"""State of the repository's own CI for a merge request, from a run's story. Pure."""

from __future__ import annotations

from receiver.store.story import MergeRequest, Story
from receiver.workflow.stages.target_pipeline_status import TargetPipelineStatus, of_status


def target_pipeline(story: Story, request: MergeRequest) -> tuple[TargetPipelineStatus, str]:
    """Return the status and URL of the repository's own pipeline for our commit; the URL may be empty."""
    theirs = [p for p in story.target_pipelines if (p.repository, p.sha) == (request.repository, request.head_sha)]
    url = theirs[-1].url if theirs else ""
    known = of_status(theirs[-1].status if theirs else None)
    if known is not TargetPipelineStatus.UNKNOWN:
        return known, url
    return (TargetPipelineStatus.WAITS if request.held_back else TargetPipelineStatus.UNKNOWN), url
