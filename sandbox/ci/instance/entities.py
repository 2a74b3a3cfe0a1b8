"""The REST shapes of pipelines, jobs and bridges (openapi_v2.yaml of 17.10, doc/api of 19.1)."""

from sandbox.ci.instance.appearance import of_pipeline
from sandbox.ci.instance.gitlab_site import GitLabSite
from sandbox.ci.records import Job, Pipeline, Status
from sandbox.gitlab.entities import commit, stamp, user, user_basic
from sandbox.gitlab.hook_model import Json


def basic(site: GitLabSite, one: Pipeline) -> Json:
    """Shape PipelineBasicWithMetadata."""
    project = site.project(one.project_id)
    return {
        "id": one.id,
        "iid": one.iid,
        "project_id": one.project_id,
        "sha": one.sha,
        "ref": one.ref,
        "status": one.status.value,
        "source": one.source,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "web_url": f"{site.state.url}/{project.path_with_namespace}/-/pipelines/{one.id}",
        "name": one.name,
    }


def pipeline(site: GitLabSite, one: Pipeline) -> Json:
    """Shape Pipeline, with its metadata."""
    path = f"/{site.project(one.project_id).path_with_namespace}/-/pipelines/{one.id}"
    look = of_pipeline(one)
    return {
        **basic(site, one),
        "before_sha": one.before_sha,
        "tag": False,
        "yaml_errors": None,
        "user": user_basic(site.state, one.user_id),
        "started_at": stamp(one.started_at),
        "finished_at": stamp(one.finished_at),
        "committed_at": None,
        "duration": one.duration(),
        "queued_duration": None if one.started_at is None else (one.started_at - one.created_at).total_seconds(),
        "coverage": _coverage(one),
        "archived": False,
        "detailed_status": {
            "icon": look.icon,
            "text": look.text,
            "label": look.label,
            "group": look.group,
            "tooltip": look.label,
            "has_details": True,
            "details_path": path,
            "illustration": None,
            "favicon": None,
        },
    }


def _coverage(one: Pipeline) -> str | None:
    values = [job.coverage for job in one.latest() if job.coverage is not None]
    return f"{sum(values) / len(values):.2f}" if values else None


def _processable(site: GitLabSite, one: Job) -> Json:
    now = site.now()
    project = site.project(one.pipeline.project_id)
    shape: Json = {
        "id": one.id,
        "status": one.status.value,
        "stage": one.definition.stage,
        "name": one.name,
        "ref": one.pipeline.ref,
        "tag": False,
        "coverage": one.coverage,
        "allow_failure": one.allow_failure,
        "created_at": stamp(one.created_at),
        "started_at": stamp(one.started_at),
        "finished_at": stamp(one.finished_at),
        "erased_at": None,
        "duration": one.duration(now),
        "queued_duration": one.queued(now),
        "user": user(site.state, site.state.users[one.user_id]),
        "commit": commit(site.state, project, site.commit(one.pipeline)),
        "pipeline": {key: value for key, value in basic(site, one.pipeline).items() if key != "name"},
        "web_url": f"{site.state.url}/{project.path_with_namespace}/-/jobs/{one.id}",
        "project": {"ci_job_token_scope_enabled": True},
    }
    if one.status is Status.FAILED:
        shape["failure_reason"] = one.failure_reason
    return shape


def job(site: GitLabSite, one: Job) -> Json:
    """Shape Job."""
    shape = _processable(site, one)
    artifacts: list[Json] = []
    if one.archive is not None:
        shape["artifacts_file"] = {"filename": one.archive.filename, "size": one.archive.size}
        artifacts.append(_artifact("archive", one.archive.size, one.archive.filename, "zip"))
    if one.tests or one.suite_error:
        artifacts.append(_artifact("junit", 0, "junit.xml.gz", "gzip"))
    artifacts += [_artifact("cobertura", 0, "cobertura-coverage.xml.gz", "gzip")] * one.coverage_reports
    if one.log is not None and one.log.exists():
        artifacts.append(_artifact("trace", one.log.stat().st_size, "job.log", None))
    return {
        **shape,
        "artifacts": artifacts,
        "artifacts_expire_at": stamp(one.archive.expire_at) if one.archive else None,
        "archived": False,
        "tag_list": list(one.definition.tags),
        "runner": {
            "id": 1,
            "description": "sandbox",
            "ip_address": None,
            "active": True,
            "paused": False,
            "is_shared": True,
            "runner_type": "instance_type",
            "name": "gitlab-runner",
            "online": True,
            "status": "online",
        }
        if one.started_at
        else None,
        "runner_manager": None,
    }


def _artifact(kind: str, size: int, filename: str, form: str | None) -> Json:
    return {"file_type": kind, "size": size, "filename": filename, "file_format": form}


def bridge(site: GitLabSite, one: Job) -> Json:
    """Shape Bridge."""
    downstream = None if one.downstream is None else basic(site, one.downstream)
    return {**_processable(site, one), "downstream_pipeline": downstream}
