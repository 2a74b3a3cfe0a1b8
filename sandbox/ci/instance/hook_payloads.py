"""What hooks say of pipelines and jobs: GitLab's payload shapes. Sends nothing.

From lib/gitlab/data_builder/pipeline.rb and build.rb; times as these hooks write them, `2016-08-12 15:23:28 UTC`.
"""

from sandbox.ci.instance import merge_request_pipelines
from sandbox.ci.instance.appearance import of_pipeline
from sandbox.ci.records import Job, Pipeline, Status
from sandbox.gitlab import payloads
from sandbox.gitlab.hook_model import Json
from sandbox.gitlab.repository import Commit
from sandbox.gitlab.state import State

RUNNER: Json = {
    "id": 1,
    "description": "sandbox",
    "runner_type": "instance_type",
    "active": True,
    "is_shared": True,
    "tags": [],
}


def pipeline(state: State, one: Pipeline, *, commit: Commit) -> Json:
    """Shape the Pipeline Hook."""
    project = state.projects[one.project_id]
    mr = merge_request_pipelines.of_ref(project, one.ref)
    payload: Json = {
        "object_kind": "pipeline",
        "object_attributes": {
            "id": one.id,
            "iid": one.iid,
            "name": one.name,
            "ref": merge_request_pipelines.source_ref(project, one.ref),
            "tag": False,
            "sha": one.sha,
            "before_sha": one.before_sha,
            "source": one.source,
            "status": one.status.value,
            "detailed_status": of_pipeline(one).label,
            "stages": list(one.definition.stages),
            "created_at": payloads.utc(one.created_at),
            "finished_at": payloads.utc(one.finished_at),
            "duration": one.duration(),
            "queued_duration": _queued(one),
            "protected_ref": one.protected,
            "variables": [{"key": name, "value": variable.value} for name, variable in one.variables.items()],
            "url": f"{state.url}/{project.path_with_namespace}/-/pipelines/{one.id}",
        },
        "merge_request": None if mr is None else merge_request_pipelines.told(state, project, mr),
        "user": payloads.user(state.users[one.user_id]),
        "project": payloads.project(state, project),
        "commit": payloads.commit(state, project, commit),
        "builds": [_build(state, job) for job in one.latest() if not job.is_bridge],
    }
    if one.parent is not None:
        payload["source_pipeline"] = {
            "project": {
                "id": project.id,
                "web_url": f"{state.url}/{project.path_with_namespace}",
                "path_with_namespace": project.path_with_namespace,
            },
            "job_id": one.parent.job_id,
            "pipeline_id": one.parent.pipeline_id,
        }
    return payload


def _queued(one: Pipeline) -> int | None:
    return None if one.started_at is None else int((one.started_at - one.created_at).total_seconds())


def _build(state: State, one: Job) -> Json:
    now = state.now()
    return {
        "id": one.id,
        "stage": one.definition.stage,
        "name": one.name,
        "status": one.status.value,
        "created_at": payloads.utc(one.created_at),
        "started_at": payloads.utc(one.started_at),
        "finished_at": payloads.utc(one.finished_at),
        "duration": one.duration(now),
        "queued_duration": one.queued(now),
        "failure_reason": one.failure_reason if one.status is Status.FAILED else None,
        "when": one.definition.when.value,
        "manual": one.definition.when.value == "manual",
        "allow_failure": one.allow_failure,
        "user": payloads.user(state.users[one.user_id]),
        "runner": RUNNER if one.started_at else None,
        "artifacts_file": {
            "filename": one.archive.filename if one.archive else None,
            "size": one.archive.size if one.archive else None,
        },
        "environment": _environment(one),
    }


def _environment(one: Job) -> Json | None:
    environment = one.definition.environment
    if environment is None:
        return None
    return {"name": environment.name, "action": environment.action, "deployment_tier": environment.deployment_tier}


def job(state: State, one: Job, *, commit: Commit) -> Json:
    """Shape the Job Hook; `commit.id` is the pipeline's id."""
    pipeline_, now = one.pipeline, state.now()
    project = state.projects[pipeline_.project_id]
    return {
        "object_kind": "build",
        "ref": pipeline_.ref,
        "tag": False,
        "before_sha": pipeline_.before_sha,
        "sha": pipeline_.sha,
        "build_id": one.id,
        "build_name": one.name,
        "build_stage": one.definition.stage,
        "build_status": one.status.value,
        "build_created_at": payloads.utc(one.created_at),
        "build_started_at": payloads.utc(one.started_at),
        "build_finished_at": payloads.utc(one.finished_at),
        "build_duration": one.duration(now),
        "build_queued_duration": one.queued(now),
        "build_allow_failure": one.allow_failure,
        "build_failure_reason": one.failure_reason or "unknown_failure",
        "pipeline_id": pipeline_.id,
        "runner": RUNNER if one.started_at else None,
        "project_id": project.id,
        "project_name": f"{project.namespace} / {project.name}",
        "user": payloads.user(state.users[one.user_id]),
        "commit": {
            "id": pipeline_.id,
            "name": pipeline_.name,
            "sha": pipeline_.sha,
            "message": commit.message,
            "author_name": commit.author.name,
            "author_email": commit.author.email,
            "author_url": f"mailto:{commit.author.email}",
            "status": pipeline_.status.value,
            "duration": pipeline_.duration(),
            "started_at": payloads.utc(pipeline_.started_at),
            "finished_at": payloads.utc(pipeline_.finished_at),
        },
        "repository": {
            **payloads.repository(state, project),
            "git_http_url": f"{state.url}/{project.path_with_namespace}.git",
            "git_ssh_url": f"git@sandbox.invalid:{project.path_with_namespace}.git",
            "visibility_level": 0,
        },
        "environment": _environment(one),
        "retries_count": one.retries,
    }
