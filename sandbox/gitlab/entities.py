"""The REST shapes of users, projects, commits and hooks: what an API client reads. Changes nothing.

Field names follow lib/api/entities of GitLab (openapi_v2.yaml of 17.10, and the samples of doc/api).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sandbox.gitlab.hook_model import Hook, HookDelivery, Json
from sandbox.gitlab.model import Access, ApprovalRule, Project, Tier, User
from sandbox.gitlab.repository import Commit, FileDiff
from sandbox.gitlab.state import State


def stamp(moment: datetime | None) -> str | None:
    """Write a time as GitLab's REST does, `2019-07-11T22:34:43.500Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_basic(state: State, user_id: int | None) -> Json | None:
    """Shape UserBasic; None when there is no such user."""
    user = state.users.get(user_id or 0)
    if user is None:
        return None
    return {
        "id": user.id,
        "username": user.username,
        "public_email": "",
        "name": user.name,
        "state": user.state,
        "locked": False,
        "avatar_url": None,
        "web_url": f"{state.url}/{user.username}",
    }


def user(state: State, one: User) -> Json:
    """Shape of `GET /users/:id`."""
    return {**(user_basic(state, one.id) or {}), "bot": one.bot, "created_at": None, "bio": "", "organization": ""}


def address(one: User) -> str:
    """Give a user's e-mail address, which is not public."""
    return f"{one.username}@sandbox.invalid"


def current_user(state: State, one: User) -> Json:
    """Shape of `GET /user`."""
    return {
        **user(state, one),
        "email": address(one),
        "is_admin": one.admin,
        "can_create_project": one.admin,
        "two_factor_enabled": False,
        "external": False,
    }


def project_simple(state: State, project: Project) -> Json:
    """Shape BasicProjectDetails."""
    namespace = project.namespace
    return {
        "id": project.id,
        "description": None,
        "name": project.name,
        "name_with_namespace": f"{namespace} / {project.name}",
        "path": project.path,
        "path_with_namespace": project.path_with_namespace,
        "created_at": stamp(project.created_at),
        "default_branch": project.default_branch,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": f"git@sandbox.invalid:{project.path_with_namespace}.git",
        "http_url_to_repo": f"{state.url}/{project.path_with_namespace}.git",
        "web_url": f"{state.url}/{project.path_with_namespace}",
        "readme_url": None,
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": stamp(project.created_at),
        "namespace": {
            "id": 1,
            "name": namespace,
            "path": namespace.rpartition("/")[2],
            "kind": "group",
            "full_path": namespace,
            "parent_id": None,
            "avatar_url": None,
            "web_url": f"{state.url}/groups/{namespace}",
        },
    }


def project(state: State, one: Project, viewer: User) -> Json:
    """Shape ProjectWithAccess."""
    level = one.members.get(viewer.id)
    access = {"access_level": int(level), "notification_level": 3} if level else None
    trains = {
        "merge_pipelines_enabled": one.settings.merge_pipelines_enabled,
        "merge_trains_enabled": one.settings.merge_trains_enabled,
    }
    return {
        **project_simple(state, one),
        "empty_repo": False,
        "archived": False,
        "visibility": one.visibility,
        "issues_enabled": True,
        "merge_requests_enabled": True,
        "jobs_enabled": True,
        "snippets_enabled": False,
        "wiki_enabled": False,
        "creator_id": 1,
        "ci_config_path": one.ci_config_path,
        "ci_job_token_scope_enabled": True,
        "ci_pipeline_variables_minimum_override_role": "no_one_allowed",
        "ci_push_repository_for_job_token_allowed": False,
        "merge_method": one.settings.merge_method.value,
        "only_allow_merge_if_pipeline_succeeds": one.settings.only_allow_merge_if_pipeline_succeeds,
        "allow_merge_on_skipped_pipeline": one.settings.allow_merge_on_skipped_pipeline,
        "only_allow_merge_if_all_discussions_are_resolved": (
            one.settings.only_allow_merge_if_all_discussions_are_resolved
        ),
        "resolve_outdated_diff_discussions": one.settings.resolve_outdated_diff_discussions,
        **(trains if state.tier is Tier.PREMIUM else {}),
        "remove_source_branch_after_merge": True,
        "squash_option": "default_off",
        "permissions": {"project_access": access, "group_access": None},
    }


def approval_rule(state: State, one: ApprovalRule, eligible: Sequence[User]) -> Json:
    """Shape what all kinds of approval rules have in common."""
    return {
        "id": one.id,
        "name": one.name,
        "rule_type": one.type.value,
        "report_type": None,
        "eligible_approvers": [user_basic(state, user.id) for user in eligible],
        "approvals_required": one.approvals_required,
        "users": [user_basic(state, each) for each in one.user_ids],
        "groups": [],
        "contains_hidden_groups": False,
    }


def member(state: State, one: Project, user_id: int) -> Json:
    """Shape Member."""
    level = one.members[user_id]
    return {
        **(user_basic(state, user_id) or {}),
        "access_level": int(level),
        "created_at": stamp(one.created_at),
        "created_by": None,
        "expires_at": None,
        "membership_state": "active",
    }


def commit(state: State, one: Project, value: Commit) -> Json:
    """Shape Commit."""
    return {
        "id": value.id,
        "short_id": value.id[:8],
        "created_at": stamp(value.committer.at),
        "parent_ids": list(value.parents),
        "title": value.title,
        "message": value.message,
        "author_name": value.author.name,
        "author_email": value.author.email,
        "authored_date": stamp(value.author.at),
        "committer_name": value.committer.name,
        "committer_email": value.committer.email,
        "committed_date": stamp(value.committer.at),
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{state.url}/{one.path_with_namespace}/-/commit/{value.id}",
    }


def branch(state: State, one: Project, name: str, head: Commit, *, level: Access) -> Json:
    """Shape Branch."""
    protected = name in one.protected_branches
    return {
        "name": name,
        "commit": commit(state, one, head),
        "merged": False,
        "protected": protected,
        "developers_can_push": False,
        "developers_can_merge": False,
        "can_push": level >= (Access.MAINTAINER if protected else Access.DEVELOPER),
        "default": name == one.default_branch,
        "web_url": f"{state.url}/{one.path_with_namespace}/-/tree/{name}",
    }


def diff(value: FileDiff) -> Json:
    """Shape Diff."""
    return {
        "diff": value.patch,
        "collapsed": False,
        "too_large": False,
        "new_path": value.new_path,
        "old_path": value.old_path,
        "a_mode": value.old_mode,
        "b_mode": value.new_mode,
        "new_file": value.status == "A",
        "renamed_file": value.status == "R",
        "deleted_file": value.status == "D",
        "generated_file": False,
    }


def hook(value: Hook, *, now: datetime) -> Json:
    """Shape ProjectHook; secrets are never given back."""
    return {
        "id": value.id,
        "url": value.url,
        "name": value.name,
        "description": value.description,
        "created_at": stamp(value.created_at),
        "project_id": value.project_id,
        "enable_ssl_verification": value.enable_ssl_verification,
        "alert_status": value.alert_status(now),
        "disabled_until": stamp(value.disabled_until),
        "url_variables": [],
        "custom_headers": [],
        "push_events_branch_filter": None,
        "branch_filter_strategy": "all_branches",
        **value.flags(),
    }


def hook_delivery(value: HookDelivery, *, url: str) -> Json:
    """Shape of one entry of `GET /projects/:id/hooks/:hook_id/events`."""
    return {
        "id": value.id,
        "url": url,
        "trigger": f"{value.event.value.removesuffix('s')}_hooks",
        "request_headers": value.request_headers,
        "request_data": value.payload,
        "response_headers": {},
        "response_body": value.response_body,
        "execution_duration": value.duration,
        "response_status": value.response_status,
    }
