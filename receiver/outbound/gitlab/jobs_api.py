"""Jobs in GitLab, as the admission of jobs asks for them. An adapter; changes nothing."""

from __future__ import annotations

from gitlab.exceptions import GitlabGetError

from pipelines.language import ProjectPath
from receiver.jobs.job_lookup import JobFacts
from receiver.outbound.gitlab.connection import Connection
from receiver.outbound.sdk_errors import translate_errors


class GitLabJobs:
    """Jobs as the receiver's bot sees them. Every method raises OutboundError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._projects: dict[ProjectPath, int] = {}

    def close(self) -> None:
        """Close the connections to GitLab."""
        self._connection.close()

    def project_id(self, project: ProjectPath) -> int:
        """Return the id of a project, which never changes."""
        if project not in self._projects:
            with translate_errors("GitLab", f"looking up {project}"):
                self._projects[project] = int(self._connection.api.projects.get(project).id)
        return self._projects[project]

    def job(self, project_id: int, job: int) -> JobFacts | None:
        """Return a job; None for one that GitLab does not know, or does not show to our bot."""
        with translate_errors("GitLab", f"reading job {job}"):
            try:
                found = self._connection.api.projects.get(project_id, lazy=True).jobs.get(job)
            except GitlabGetError as error:
                if error.response_code == 404:
                    return None
                raise
        return JobFacts(name=found.name, status=found.status, pipeline=int(found.pipeline["id"]))

    def triggered(self, project_id: int, parent: int) -> list[int | None]:
        """Return the pipeline behind each trigger job of a pipeline; None for a trigger job that has none yet."""
        with translate_errors("GitLab", f"reading what pipeline {parent} triggered"):
            pipeline = self._connection.api.projects.get(project_id, lazy=True).pipelines.get(parent, lazy=True)
            below = [bridge.downstream_pipeline for bridge in pipeline.bridges.list(get_all=True)]
        return [int(one["id"]) if one else None for one in below]

    def starter(self, project_id: int, pipeline: int) -> int | None:
        """Return the id of the user who started a pipeline; None when GitLab does not say."""
        with translate_errors("GitLab", f"reading pipeline {pipeline}"):
            user = (
                self._connection.api.projects.get(project_id, lazy=True).pipelines.get(pipeline).attributes.get("user")
            )
        return int(user["id"]) if user else None
