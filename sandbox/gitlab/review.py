"""The REST shapes of merge requests: what an API client reads. Changes nothing.

Field names follow lib/api/entities of GitLab (openapi_v2.yaml of 17.10).
"""

from sandbox.gitlab import awards, conversation, entities, head_pipeline, mergeable, threads
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import DiffVersion, MergeRequest, MergeStatus
from sandbox.gitlab.model import Access, Project, User
from sandbox.gitlab.state import State


def merge_request_basic(state: State, one: Project, mr: MergeRequest, *, detailed: str) -> Json:
    """Shape MergeRequestBasic, the one in lists; `detailed` is the `detailed_merge_status`."""
    people = {user_id: entities.user_basic(state, user_id) for user_id in {*mr.assignee_ids, *mr.reviewer_ids}}
    draft = mergeable.is_draft(mr.title)
    web_url = f"{state.url}/{one.path_with_namespace}/-/merge_requests/{mr.iid}"
    return {
        "id": mr.id,
        "iid": mr.iid,
        "project_id": mr.project_id,
        "title": mr.title,
        "description": mr.description,
        "state": mr.state,
        "created_at": entities.stamp(mr.created_at),
        "updated_at": entities.stamp(mr.updated_at),
        "merged_by": entities.user_basic(state, mr.merged_by_id),
        "merge_user": entities.user_basic(state, mr.merged_by_id or mr.auto_merge_user_id),
        "merged_at": entities.stamp(mr.merged_at),
        "closed_by": None,
        "closed_at": entities.stamp(mr.closed_at),
        "target_branch": mr.target_branch,
        "source_branch": mr.source_branch,
        "user_notes_count": sum(not note.system for note in mr.notes),
        "upvotes": awards.count(mr.awards, "thumbsup"),
        "downvotes": awards.count(mr.awards, "thumbsdown"),
        "author": entities.user_basic(state, mr.author_id),
        "assignees": [people[user_id] for user_id in mr.assignee_ids],
        "assignee": people[mr.assignee_ids[0]] if mr.assignee_ids else None,
        "reviewers": [people[user_id] for user_id in mr.reviewer_ids],
        "source_project_id": mr.project_id,
        "target_project_id": mr.project_id,
        "labels": list(mr.labels),
        "draft": draft,
        "imported": False,
        "imported_from": "none",
        "work_in_progress": draft,
        "milestone": None,
        "merge_when_pipeline_succeeds": mr.auto_merge_user_id is not None,
        "merge_status": mr.merge_status.public,
        "detailed_merge_status": detailed,
        "merge_after": None,
        "sha": mr.sha,
        "merge_commit_sha": mr.merge_commit_sha,
        "squash_commit_sha": None,
        "discussion_locked": None,
        "should_remove_source_branch": None,
        "force_remove_source_branch": mr.remove_source_branch,
        "prepared_at": entities.stamp(mr.prepared_at),
        "reference": f"!{mr.iid}",
        "references": {
            "short": f"!{mr.iid}",
            "relative": f"!{mr.iid}",
            "full": f"{one.path_with_namespace}!{mr.iid}",
        },
        "web_url": web_url,
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "squash": False,
        "squash_on_merge": False,
        "task_completion_status": {"count": 0, "completed_count": 0},
        "has_conflicts": mr.merge_status is MergeStatus.UNMERGEABLE,
        "blocking_discussions_resolved": threads.blocking_resolved(one.settings, mr),
        "approvals_before_merge": None,
    }


def merge_request(
    state: State, one: Project, mr: MergeRequest, *, detailed: str, changes: int | None, viewer: User
) -> Json:
    """Shape MergeRequest, the one of a single `GET`."""
    pipeline = head_pipeline.shown(state, one, mr)
    return {
        **merge_request_basic(state, one, mr, detailed=detailed),
        "subscribed": False,
        "changes_count": None if changes is None else str(changes),
        "latest_build_started_at": None,
        "latest_build_finished_at": None,
        "first_deployed_to_production_at": None,
        "pipeline": pipeline,
        "head_pipeline": pipeline,
        "diff_refs": conversation.diff_refs(mr.refs) if mr.refs else None,
        "merge_error": mr.merge_error,
        "first_contribution": False,
        "user": {"can_merge": can_merge(state, one, mr, viewer)},
    }


def can_merge(state: State, one: Project, mr: MergeRequest, user: User) -> bool:
    """Whether this user may merge into the target branch; a protected one takes a maintainer."""
    needed = Access.MAINTAINER if mr.target_branch in one.protected_branches else Access.DEVELOPER
    return state.access(user, one) >= needed


def version(mr: MergeRequest, one: DiffVersion) -> Json:
    """Shape of one of the diffs that a merge request had, API_Entities_MergeRequestDiff."""
    return {
        "id": one.id,
        "head_commit_sha": one.refs.head_sha,
        "base_commit_sha": one.refs.base_sha,
        "start_commit_sha": one.refs.start_sha,
        "created_at": entities.stamp(one.created_at),
        "merge_request_id": mr.id,
        "state": "collected",
        "real_size": "1",
        "patch_id_sha": one.patch_id,
    }
