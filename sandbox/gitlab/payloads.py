"""What hooks say of pushes and merge requests: GitLab's payload shapes. Sends nothing.

Shapes follow doc/user/project/integrations/webhook_events.md of 18.x; `project`, `user` and `repository` serve the
payloads of pipelines and jobs too.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from sandbox.gitlab import entities, head_pipeline, mergeable, reviewers, threads
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.merge_request_model import MergeRequest
from sandbox.gitlab.model import Project, Push, User
from sandbox.gitlab.repository import NULL_SHA, Commit
from sandbox.gitlab.state import State


class CommitFiles(msgspec.Struct, frozen=True, kw_only=True):
    """One commit of a push with the paths it touched."""

    commit: Commit
    added: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What of a merge request has to be looked up in its repository before a hook can tell of it."""

    head: Commit
    detailed_merge_status: str


def utc(moment: datetime | None) -> str | None:
    """Write a time as note and pipeline hooks do, `2017-09-15 16:50:55 UTC`."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def user(one: User) -> Json:
    """Shape the `user` block; the address is hidden as GitLab hides it."""
    return {"id": one.id, "name": one.name, "username": one.username, "avatar_url": None, "email": "[REDACTED]"}


def project(state: State, one: Project) -> Json:
    """Shape the `project` block."""
    http_url = f"{state.url}/{one.path_with_namespace}.git"
    ssh_url = f"git@sandbox.invalid:{one.path_with_namespace}.git"
    return {
        "id": one.id,
        "name": one.name,
        "description": None,
        "web_url": f"{state.url}/{one.path_with_namespace}",
        "avatar_url": None,
        "git_ssh_url": ssh_url,
        "git_http_url": http_url,
        "namespace": one.namespace,
        "visibility_level": 0,
        "path_with_namespace": one.path_with_namespace,
        "default_branch": one.default_branch,
        "ci_config_path": one.ci_config_path,
        "homepage": f"{state.url}/{one.path_with_namespace}",
        "url": http_url,
        "ssh_url": ssh_url,
        "http_url": http_url,
    }


def repository(state: State, one: Project) -> Json:
    """Shape the `repository` block."""
    return {
        "name": one.name,
        "url": f"git@sandbox.invalid:{one.path_with_namespace}.git",
        "description": None,
        "homepage": f"{state.url}/{one.path_with_namespace}",
    }


def commit(state: State, one: Project, value: Commit) -> Json:
    """Shape one commit, as in `last_commit`."""
    return {
        "id": value.id,
        "message": value.message,
        "title": value.title,
        "timestamp": value.author.at.isoformat(),
        "url": f"{state.url}/{one.path_with_namespace}/-/commit/{value.id}",
        "author": {"name": value.author.name, "email": "[REDACTED]"},
    }


def push(state: State, event: Push, commits: Sequence[CommitFiles], *, total: int) -> Json:
    """Shape the Push Hook, or the Tag Push Hook."""
    kind = "tag_push" if event.ref.startswith("refs/tags/") else "push"
    gone = event.after == NULL_SHA
    return {
        "object_kind": kind,
        "event_name": kind,
        "before": event.before,
        "after": event.after,
        "ref": event.ref,
        "ref_protected": event.ref.removeprefix("refs/heads/") in event.project.protected_branches,
        "checkout_sha": None if gone else event.after,
        "message": None,
        "user_id": event.user.id,
        "user_name": event.user.name,
        "user_username": event.user.username,
        "user_email": None,
        "user_avatar": None,
        "project_id": event.project.id,
        "project": project(state, event.project),
        "commits": [
            {
                **commit(state, event.project, one.commit),
                "added": list(one.added),
                "modified": list(one.modified),
                "removed": list(one.removed),
            }
            for one in commits
        ],
        "total_commits_count": total,
        "push_options": {},
        "repository": {
            **repository(state, event.project),
            "git_http_url": f"{state.url}/{event.project.path_with_namespace}.git",
            "git_ssh_url": f"git@sandbox.invalid:{event.project.path_with_namespace}.git",
            "visibility_level": 0,
        },
    }


def label(title: str, one: Project) -> Json:
    """Shape one label."""
    return {
        "id": sum(title.encode()),
        "title": title,
        "color": "#428bca",
        "project_id": one.id,
        "created_at": entities.stamp(one.created_at),
        "updated_at": entities.stamp(one.created_at),
        "template": False,
        "description": None,
        "type": "ProjectLabel",
        "group_id": None,
    }


def merge_request_attributes(state: State, one: Project, mr: MergeRequest, told: Told) -> Json:
    """Shape `object_attributes` of a merge request, which the hooks of its notes tell as well."""
    detailed, head = told.detailed_merge_status, told.head
    draft = mergeable.is_draft(mr.title)
    return {
        "id": mr.id,
        "iid": mr.iid,
        "target_branch": mr.target_branch,
        "source_branch": mr.source_branch,
        "source_project_id": mr.project_id,
        "target_project_id": mr.project_id,
        "author_id": mr.author_id,
        "assignee_ids": mr.assignee_ids,
        "assignee_id": mr.assignee_ids[0] if mr.assignee_ids else None,
        "reviewer_ids": mr.reviewer_ids,
        "title": mr.title,
        "description": mr.description,
        "created_at": entities.stamp(mr.created_at),
        "updated_at": entities.stamp(mr.updated_at),
        "prepared_at": entities.stamp(mr.prepared_at),
        "last_edited_at": None,
        "last_edited_by_id": None,
        "milestone_id": None,
        "state_id": {"opened": 1, "closed": 2, "merged": 3}[mr.state],
        "state": mr.state,
        "blocking_discussions_resolved": threads.blocking_resolved(one.settings, mr),
        "work_in_progress": draft,
        "draft": draft,
        "first_contribution": False,
        "merge_status": mr.merge_status.public,
        "detailed_merge_status": detailed,
        "merge_commit_sha": mr.merge_commit_sha,
        "merged_at": utc(mr.merged_at),
        "merge_error": mr.merge_error,
        "merge_params": {"force_remove_source_branch": "1" if mr.remove_source_branch else "0"},
        "merge_user_id": mr.merged_by_id or mr.auto_merge_user_id,
        "merge_when_pipeline_succeeds": mr.auto_merge_user_id is not None,
        "head_pipeline_id": (head_pipeline.shown(state, one, mr) or {}).get("id"),
        "total_time_spent": 0,
        "time_change": 0,
        "human_total_time_spent": None,
        "human_time_change": None,
        "human_time_estimate": None,
        "url": f"{state.url}/{one.path_with_namespace}/-/merge_requests/{mr.iid}",
        "source": project(state, one),
        "target": project(state, one),
        "last_commit": commit(state, one, head),
        "labels": [label(title, one) for title in mr.labels],
    }


def merge_request(
    state: State,
    one: Project,
    mr: MergeRequest,
    actor: User,
    *,
    action: str,
    told: Told,
    changes: Mapping[str, object],
    more: Mapping[str, object],
) -> Json:
    """Shape the Merge Request Hook; `more` are the attributes that only some actions have."""
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": user(actor),
        "project": project(state, one),
        "repository": repository(state, one),
        "object_attributes": {
            **merge_request_attributes(state, one, mr, told),
            "action": action,
            "actioned_at": utc(state.now()),
            "system": False,
            **more,
        },
        "labels": [label(title, one) for title in mr.labels],
        "changes": dict(changes),
        "assignees": [user(state.users[user_id]) for user_id in mr.assignee_ids],
        "reviewers": [
            {**user(state.users[one]), "state": reviewers.state_of(mr, one), "re_requested": False}
            for one in mr.reviewer_ids
        ],
    }
