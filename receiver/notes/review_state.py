"""How a merge request stands with the repository's own CI, read from a run's story. Pure."""

from __future__ import annotations

from receiver.store.story import MergeRequest, Story
from receiver.workflow.target_pipeline_status import OwnPipeline, of_status


def own_pipeline(story: Story, request: MergeRequest) -> tuple[OwnPipeline, str]:
    """Return what the repository's own CI does with our commit, and where; no address: nothing runs there."""
    theirs = [p for p in story.target_pipelines if (p.repository, p.sha) == (request.repository, request.head_sha)]
    url = theirs[-1].url if theirs else ""
    known = of_status(theirs[-1].status if theirs else None)
    if known is not OwnPipeline.UNKNOWN:
        return known, url
    return (OwnPipeline.WAITS if request.held_back else OwnPipeline.UNKNOWN), url
