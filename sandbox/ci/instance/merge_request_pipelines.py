"""Pipelines of merge requests, which here are those of merge trains: what GitLab says of the merge request in them.

Variables: doc/ci/variables/predefined_variables.md; the hook's part: lib/gitlab/data_builder/pipeline.rb.
"""

import re
from typing import Final

from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Project
from sandbox.gitlab.state import State

_REF: Final = re.compile(r"refs/merge-requests/(\d+)/train")


def of_ref(project: Project, ref: str) -> MergeRequest | None:
    """Give the merge request whose ref this is; None for a branch."""
    found = _REF.fullmatch(ref)
    return None if found is None else project.merge_requests[int(found[1])]


def source_ref(project: Project, ref: str) -> str:
    """Give the branch that a pipeline is about."""
    mr = of_ref(project, ref)
    return ref if mr is None else mr.source_branch


def variables(state: State, project: Project, mr: MergeRequest, ref: str) -> dict[str, str]:
    """Give the variables that pipelines of merge requests have."""
    return {
        "CI_MERGE_REQUEST_ID": str(mr.id),
        "CI_MERGE_REQUEST_IID": str(mr.iid),
        "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train",
        "CI_MERGE_REQUEST_REF_PATH": ref,
        "CI_MERGE_REQUEST_TITLE": mr.title,
        "CI_MERGE_REQUEST_DESCRIPTION": mr.description,
        "CI_MERGE_REQUEST_LABELS": ",".join(mr.labels),
        "CI_MERGE_REQUEST_PROJECT_ID": str(project.id),
        "CI_MERGE_REQUEST_PROJECT_PATH": project.path_with_namespace,
        "CI_MERGE_REQUEST_PROJECT_URL": f"{state.url}/{project.path_with_namespace}",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": mr.source_branch,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": mr.sha,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": mr.target_branch,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": mr.base_sha,
    }


def told(state: State, project: Project, mr: MergeRequest) -> Json:
    """Shape the merge request in a Pipeline Hook; without `detailed_merge_status`, which takes a look at git."""
    return {
        "id": mr.id,
        "iid": mr.iid,
        "title": mr.title,
        "source_branch": mr.source_branch,
        "source_project_id": project.id,
        "target_branch": mr.target_branch,
        "target_project_id": project.id,
        "state": mr.state,
        "merge_status": mr.merge_status.public,
        "url": f"{state.url}/{project.path_with_namespace}/-/merge_requests/{mr.iid}",
    }
