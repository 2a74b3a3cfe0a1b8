"""Read of a run's story how its merge requests stand: own pipeline, and whether anybody reviews. Pure."""

from __future__ import annotations

from receiver.store.story import MergeRequest, Story
from receiver.workflow.effects import OpenMergeRequest, StartTargetPipeline
from receiver.workflow.target_pipeline_status import OwnPipeline, of_status


def own_pipeline(story: Story, request: MergeRequest) -> tuple[OwnPipeline, str]:
    """Return what the repository's own CI does with our commit, and where; no address: nothing runs there."""
    theirs = [p for p in story.target_pipelines if (p.repository, p.sha) == (request.repository, request.head_sha)]
    url = theirs[-1].url if theirs else ""
    told = of_status(theirs[-1].status if theirs else None)
    if told is not OwnPipeline.UNKNOWN:
        return told, url
    return (OwnPipeline.WAITS if _is_held_back(story, request.repository) else OwnPipeline.UNKNOWN), url


def _is_held_back(story: Story, repository: str) -> bool:
    marked = False
    for act in story.effects:
        if act.result is not None and act.payload.get("repository") == repository:
            marked = act.result.get("own_pipeline") == "waits" if act.kind == OpenMergeRequest.__name__ else marked
            marked = marked and not (act.kind == StartTargetPipeline.__name__ and act.result.get("started"))
    return marked


def is_nobody_asked(story: Story, repository: str) -> bool:
    """Tell whether the merge request had no reviewer when it was opened or last described; unknown is not so.

    Who was asked since is not known: nothing blocks for lack of a reviewer, so this is worth a remark and no more.
    """
    opened = [
        act.result.get("is_nobody_asked", False)
        for act in story.effects
        if act.kind == OpenMergeRequest.__name__ and act.result and act.payload.get("repository") == repository
    ]
    return opened[-1] is True if opened else False
