"""Pipelines, jobs and artifacts in GitLab. An adapter: requests as values in, answers as values out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests
from gitlab.base import RESTObject
from msgspec import Struct

from pipelines.language import ProjectPath
from receiver.outbound.errors import NotThereError, RefusedError
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.sdk_errors import translate_errors
from receiver.workflow.events.pipeline_events import JobChanged, JobId, PipelineChanged, PipelineId

CHUNK = 1 << 20
"""Bytes that are read of an artifact at a time."""


class FoundPipeline(Struct, frozen=True, kw_only=True):
    """A pipeline as GitLab lists it."""

    id: int
    project_id: int
    name: str
    url: str
    created_at: datetime


class Pipelines:
    """Pipelines as one bot sees and changes them."""

    def __init__(self, connection: Connection) -> None:
        self._api = connection.api

    def project_id(self, project: ProjectPath) -> int:
        """Return the id of a project."""
        with translate_errors("GitLab", f"looking up {project}"):
            return int(self._api.projects.get(project).id)

    def named(self, project_id: int, *, ref: str, name: str) -> list[FoundPipeline]:
        """Return the pipelines that the API created on a ref with this name, newest first."""
        with translate_errors("GitLab", f"looking for pipeline {name}"):
            found = self._api.projects.get(project_id, lazy=True).pipelines.list(
                ref=ref, source="api", name=name, order_by="id", sort="desc", get_all=True
            )
        return [_found(one, project_id, name) for one in found]

    def create(self, project_id: int, *, ref: str, inputs: dict[str, Any], name: str) -> FoundPipeline:
        """Create a pipeline with inputs (GitLab 18.1 and later)."""
        with translate_errors("GitLab", f"creating pipeline {name}"):
            made = self._api.projects.get(project_id, lazy=True).pipelines.create({"ref": ref, "inputs": inputs})
        return _found(made, project_id, name)

    def cancel(self, project_id: int, pipeline: int) -> None:
        """Cancel a pipeline; one that has ended stays as it is."""
        with translate_errors("GitLab", f"cancelling pipeline {pipeline}"):
            self._api.projects.get(project_id, lazy=True).pipelines.get(pipeline, lazy=True).cancel()

    def pipeline(self, project_id: int, project: ProjectPath, pipeline: int) -> PipelineChanged:
        """Return how a pipeline is, as its hook would tell."""
        with translate_errors("GitLab", f"reading pipeline {pipeline}"):
            one = self._api.projects.get(project_id, lazy=True).pipelines.get(pipeline)
        return PipelineChanged(
            project_id=project_id,
            project=project,
            pipeline=PipelineId(pipeline),
            status=one.status,
            source=getattr(one, "source", None) or "",
            parent=None,
            url=one.web_url,
            ref=one.ref,
            sha=one.sha,
            created_at=_time(one.created_at),
            finished_at=_time(getattr(one, "finished_at", None)),
        )

    def children(self, project_id: int, pipeline: int) -> list[int]:
        """Return the pipelines of the same project that a pipeline triggered."""
        with translate_errors("GitLab", f"reading the children of pipeline {pipeline}"):
            project = self._api.projects.get(project_id, lazy=True)
            bridges = project.pipelines.get(pipeline, lazy=True).bridges.list(get_all=True)
        below = [bridge.downstream_pipeline for bridge in bridges if bridge.downstream_pipeline]
        return [int(one["id"]) for one in below if int(one.get("project_id", project_id)) == project_id]

    def jobs(self, project_id: int, project: ProjectPath, pipeline: int) -> list[JobChanged]:
        """Return a pipeline's jobs, with those that were run again, as their hooks would tell; the oldest first."""
        with translate_errors("GitLab", f"reading the jobs of pipeline {pipeline}"):
            one = self._api.projects.get(project_id, lazy=True).pipelines.get(pipeline, lazy=True)
            found = one.jobs.list(include_retried=True, get_all=True)
        return [
            JobChanged(
                project_id=project_id,
                project=project,
                pipeline=PipelineId(pipeline),
                job=JobId(int(job.id)),
                name=job.name,
                stage=job.stage,
                status=job.status,
                allow_failure=bool(job.allow_failure),
                failure_reason=getattr(job, "failure_reason", None),
                queued_s=getattr(job, "queued_duration", None),
                started_at=_time(job.started_at),
                finished_at=_time(job.finished_at),
                duration_s=job.duration,
            )
            for job in sorted(found, key=lambda job: int(job.id))
        ]

    def artifact(self, project_id: int, job: int, path: str, *, limit: int) -> bytes:
        """Return one file of a job's artifacts. Raises RefusedError when it is not there or over `limit` bytes."""
        if any(part in {"", ".", ".."} for part in path.split("/")):
            raise RefusedError(f"{path[:200]!r} is not a path within job {job}'s artifacts.")
        # not `ProjectJob.artifact`: its iterator holds the whole body in memory before it gives the first piece
        url = f"/projects/{project_id}/jobs/{job}/artifacts/{quote(path)}"
        body = bytearray()
        with translate_errors("GitLab", f"reading {path} of job {job}"):
            answer = self._api.http_get(url, streamed=True, raw=True)
            if not isinstance(answer, requests.Response):  # `raw` makes it one
                raise TypeError(answer)
            with answer:
                for chunk in answer.iter_content(CHUNK):
                    body += chunk
                    if len(body) > limit:
                        raise RefusedError(f"{path} of job {job} is larger than {limit} bytes.")
        if not body:
            raise NotThereError(f"{path} of job {job} is empty.")
        return bytes(body)


def _found(one: RESTObject, project_id: int, name: str) -> FoundPipeline:
    created = _time(one.created_at)
    if created is None:
        raise RefusedError(f"GitLab does not say when pipeline {one.id} was created.")
    return FoundPipeline(
        id=int(one.id),
        project_id=project_id,
        name=getattr(one, "name", None) or name,
        url=one.web_url,
        created_at=created,
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
