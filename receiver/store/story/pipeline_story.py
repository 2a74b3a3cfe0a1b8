"""The pipelines of a run and their jobs."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Job(Struct, frozen=True, kw_only=True):
    """A job."""

    id: int
    name: str
    stage: str
    phase: str | None
    repository: str | None
    agent: str | None
    status: str
    allow_failure: bool
    """The pipeline continues if the job fails; also true if its exit code allows failure."""
    failure_reason: str | None
    queued_s: float | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None


class Pipeline(Struct, frozen=True, kw_only=True):
    """A pipeline with its jobs."""

    id: int
    project_id: int
    iteration: int
    kind: str
    """`parent` or `child`."""
    parent: int | None
    status: str
    url: str
    created_at: datetime | None
    finished_at: datetime | None
    jobs: tuple[Job, ...]
