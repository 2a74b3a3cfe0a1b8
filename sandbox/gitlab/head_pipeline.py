"""The pipeline that a merge request shows, which isn't always its head's. Starts none.

GitLab keeps the newest pipeline that a head had (`update_head_pipeline`); when a push brings a head that gets none,
the old one stays: a client has to compare its `sha`. The merge checks look at the head's own only, which on a merge
train is the train's pipeline, for a commit that is on no branch.
"""

from sandbox.gitlab.background import Step
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Project
from sandbox.gitlab.state import State


def shown(state: State, project: Project, mr: MergeRequest) -> Json | None:
    """Give the pipeline that the merge request shows, taking notice of a newer one of its head first."""
    found = None if Step.HEAD_PIPELINE in state.background.held else state.pipelines.of_head(project, mr)
    if found is not None:
        mr.head_pipeline_id, mr.head_pipeline_of = found["id"], mr.sha
    return None if mr.head_pipeline_id is None else state.pipelines.get(mr.head_pipeline_id)


def of_head(state: State, project: Project, mr: MergeRequest) -> Json | None:
    """Give the pipeline that it shows if it is of its head, or of its head on a merge train."""
    found = shown(state, project, mr)
    return found if mr.head_pipeline_of == mr.sha else None
