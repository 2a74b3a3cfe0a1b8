"""What is asked of GitLab about a job that wants a session. The adapter is `receiver.outbound.gitlab.jobs_api`."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from pipelines.language import ProjectPath


class JobFacts(Struct, frozen=True, kw_only=True):
    """What GitLab's API says of a job."""

    name: str
    status: str
    pipeline: int


class JobLookup(Protocol):
    """Jobs as the receiver's bot sees them. Methods block; they raise the adapter's error when GitLab can't answer."""

    def project_id(self, project: ProjectPath) -> int:
        """Return the id of a project."""

    def job(self, project_id: int, job: int) -> JobFacts | None:
        """Return a job; None for one that GitLab does not know, or does not show to our bot."""

    def triggered(self, project_id: int, parent: int) -> list[int | None]:
        """Return the pipeline behind each trigger job of a pipeline; None for a trigger job that has none yet."""

    def starter(self, project_id: int, pipeline: int) -> int | None:
        """Return the id of the user who started a pipeline; None when GitLab does not say."""

    def close(self) -> None:
        """Close the connections to GitLab."""
