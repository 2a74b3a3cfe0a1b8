"""Pipelines and jobs as they run: what the engine changes and everyone else reads."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path

import msgspec

from sandbox.ci.configuration.definition import JobDefinition, PipelineDefinition
from sandbox.ci.configuration.expansion import Variable


class Status(Enum):
    """GitLab's statuses of jobs and pipelines (app/models/concerns/ci/has_status.rb)."""

    CREATED = "created"
    WAITING_FOR_RESOURCE = "waiting_for_resource"
    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELING = "canceling"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    MANUAL = "manual"
    SCHEDULED = "scheduled"


COMPLETED = frozenset({Status.SUCCESS, Status.FAILED, Status.CANCELED, Status.SKIPPED})
CANCELABLE = frozenset({Status.CREATED, Status.WAITING_FOR_RESOURCE, Status.PENDING, Status.RUNNING, Status.SCHEDULED})
ACTIVE = frozenset({Status.PENDING, Status.RUNNING, Status.CANCELING})


class TestCase(msgspec.Struct, frozen=True, kw_only=True):
    """One test of a JUnit report, in the shape of GitLab's test report."""

    status: str
    """`success`, `failed`, `skipped` or `error`."""
    name: str
    classname: str = ""
    file: str | None = None
    execution_time: float = 0.0
    system_output: str | None = None
    stack_trace: str | None = None


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """A job's artifacts, kept on disk."""

    path: Path
    filename: str
    size: int
    expire_at: datetime | None
    access: str


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """Where a child pipeline comes from."""

    pipeline_id: int
    job_id: int


@dataclass(eq=False)
class Job:
    """One job, or with a `trigger` one bridge, of one pipeline. A retry is a new job."""

    id: int
    pipeline: "Pipeline" = field(repr=False)
    definition: JobDefinition = field(repr=False)
    user_id: int
    created_at: datetime
    status: Status = Status.CREATED
    allow_failure: bool = False
    log: Path | None = None
    """Where the log is written; None until it begins."""
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failure_reason: str | None = None
    exit_code: int | None = None
    retried: bool = False
    """A newer job of the same name has taken its place."""
    retries: int = 0
    """How many jobs of this name came before."""
    token: str | None = None
    """The job token, while it is valid."""
    downstream: "Pipeline | None" = None
    archive: Archive | None = None
    tests: tuple[TestCase, ...] = ()
    suite_error: str | None = None
    coverage: float | None = None
    """What its `coverage` expression found in its log."""
    coverage_reports: int = 0
    """Files of its coverage report: GitLab shows them in the diff of a merge request whose pipeline this is, only."""
    problem: str | None = None
    """Why a bridge could start no child, in words."""

    @property
    def name(self) -> str:
        """The job's name."""
        return self.definition.name

    @property
    def is_bridge(self) -> bool:
        """Whether this is a trigger job."""
        return self.definition.trigger is not None

    def duration(self, now: datetime) -> float | None:
        """Give the seconds that it has run."""
        return None if self.started_at is None else ((self.finished_at or now) - self.started_at).total_seconds()

    def queued(self, now: datetime) -> float | None:
        """Give the seconds that it was pending."""
        return None if self.queued_at is None else ((self.started_at or now) - self.queued_at).total_seconds()


@dataclass(eq=False)
class Pipeline:
    """One pipeline."""

    id: int
    iid: int
    project_id: int
    ref: str
    sha: str
    source: str
    """`push`, `web`, `api`, `trigger`, `merge_request_event`, `parent_pipeline`."""
    user_id: int
    definition: PipelineDefinition = field(repr=False)
    created_at: datetime
    updated_at: datetime
    protected: bool = False
    """Whether its ref is protected."""
    before_sha: str = "0" * 40
    source_sha: str | None = None
    """Of a merge request's pipeline: the head that it is of, when `sha` is a commit made of it and others."""
    name: str | None = None
    predefined: dict[str, str] = field(default_factory=dict, repr=False)
    """What the pipeline was compiled with."""
    variables: dict[str, Variable] = field(default_factory=dict)
    """Forwarded by the parent."""
    status: Status = Status.CREATED
    started_at: datetime | None = None
    finished_at: datetime | None = None
    jobs: list[Job] = field(default_factory=list)
    """All jobs, superseded ones included, in the order of their ids."""
    parent: Parent | None = None
    depth: int = 0
    """0 for a parent, 1 for its child, 2 for a grandchild."""

    def latest(self) -> list[Job]:
        """Give the jobs that count, without superseded ones."""
        return [job for job in self.jobs if not job.retried]

    def job(self, name: str) -> Job | None:
        """Find the job of this name that counts."""
        return next((job for job in self.latest() if job.name == name), None)

    def duration(self) -> int | None:
        """Give the seconds during which some job ran (overlaps once), when the pipeline has finished."""
        if self.finished_at is None:
            return None
        spans = sorted((job.started_at, job.finished_at) for job in self.latest() if job.started_at and job.finished_at)
        total, reached = 0.0, None
        for start, end in spans:
            begin = start if reached is None else max(start, reached)
            total += max(0.0, (end - begin).total_seconds())
            reached = end if reached is None else max(reached, end)
        return round(total) if spans else None
