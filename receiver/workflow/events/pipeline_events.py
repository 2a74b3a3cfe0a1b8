"""Events of pipelines, jobs and their reports. Data only."""

from __future__ import annotations

from datetime import datetime
from typing import NewType

from msgspec import Struct

from pipelines.language import PhaseReport, PipelineKind, ProjectPath

PipelineId = NewType("PipelineId", int)
JobId = NewType("JobId", int)


class PipelineStarted(Struct, frozen=True, kw_only=True, tag=True):
    """A pipeline of the run exists in GitLab: created now, or found to have been created before."""

    kind: PipelineKind = PipelineKind.FIX
    iteration: int
    """Its number within the kind; of a fix the iteration."""
    project_id: int
    pipeline: PipelineId
    url: str


class PipelineChanged(Struct, frozen=True, kw_only=True, tag=True):
    """GitLab says what state a pipeline is in."""

    project_id: int
    project: ProjectPath
    pipeline: PipelineId
    status: str
    """One of GitLab's pipeline statuses."""
    source: str
    """`api`, `parent_pipeline`, `push`, …"""
    parent: PipelineId | None
    """The pipeline that triggered this one, for a child."""
    url: str
    ref: str
    sha: str
    created_at: datetime | None
    finished_at: datetime | None


class JobChanged(Struct, frozen=True, kw_only=True, tag=True):
    """GitLab says what state a job is in."""

    project_id: int
    project: ProjectPath
    pipeline: PipelineId
    job: JobId
    name: str
    stage: str
    status: str
    """One of GitLab's job statuses."""
    allow_failure: bool
    failure_reason: str | None
    queued_s: float | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None


class ReportAccepted(Struct, frozen=True, kw_only=True, tag=True):
    """GitLab's API says that the job behind a report ended in the way that makes the report count."""

    job: JobId
    report: PhaseReport


class ReportDiscarded(Struct, frozen=True, kw_only=True, tag=True):
    """A report does not count: its job failed, was cancelled or was replaced by a newer one."""

    job: JobId
    report: PhaseReport
    reason: str


class ReportsSettled(Struct, frozen=True, kw_only=True, tag=True):
    """SettleReports was performed and every answer it gave has been decided on: no report is pending now."""

    iteration: int
