"""Tables of what GitLab and Jira hold for us: pipelines, jobs, merge requests, notes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.schema.columns import Base, Serial


class PipelineRow(Base):
    """A pipeline of a run: one that was started for it, or a child of such a one."""

    __tablename__ = "pipelines"
    __table_args__ = (Index("ix_pipelines_run_id", "run_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """GitLab's pipeline id: unique in the instance."""
    project_id: Mapped[int]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    kind: Mapped[str] = mapped_column(server_default="fix")
    """`pipelines.language.PipelineKind`."""
    iteration: Mapped[int]
    """Number of the pipeline within its kind; of a fix the iteration."""
    parent_id: Mapped[int | None]
    status: Mapped[str]
    url: Mapped[str]
    ref: Mapped[str] = mapped_column(server_default="")
    sha: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]
    """When we last heard of it, by hook or by asking."""


class JobRow(Base):
    """A job of a pipeline of ours."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """GitLab's job id: unique in the instance."""
    pipeline_id: Mapped[int] = mapped_column(ForeignKey("pipelines.id"), index=True)
    project_id: Mapped[int]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    kind: Mapped[str] = mapped_column(server_default="fix")
    """`pipelines.language.PipelineKind`."""
    iteration: Mapped[int]
    """Number of the pipeline within its kind; of a fix the iteration."""
    name: Mapped[str]
    stage: Mapped[str]
    phase: Mapped[str | None]
    repository: Mapped[str | None]
    agent: Mapped[str | None]
    status: Mapped[str]
    allow_failure: Mapped[bool] = mapped_column(server_default="false")
    failure_reason: Mapped[str | None]
    queued_s: Mapped[float | None]
    duration_s: Mapped[float | None]
    created_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]


class MergeRequestRow(Base):
    """A merge request of a run."""

    __tablename__ = "merge_requests"
    __table_args__ = (UniqueConstraint("run_id", "repository"), Index("ix_merge_requests_project", "project_id", "iid"))

    id: Mapped[Serial]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    repository: Mapped[str]
    project_id: Mapped[int]
    iid: Mapped[int]
    url: Mapped[str]
    source_branch: Mapped[str]
    state: Mapped[str]
    iteration: Mapped[int | None]
    """The attempt whose commit we put on it last; None: of a release without this column."""
    head_sha: Mapped[str]
    """Head as we made it."""
    seen_head_sha: Mapped[str]
    """Head that is taken for ours: `head_sha`, or before we know that one the head that the first hook told."""
    opened_at: Mapped[datetime]
    merged_at: Mapped[datetime | None]
    merge_commit_sha: Mapped[str | None]
    """By it a revert is known later; None before, and after a fast-forward merge."""
    held_back: Mapped[bool] = mapped_column(server_default="false")
    """Our commit is marked so that the repository's own CI leaves it alone until somebody approves."""
    merge_answer: Mapped[str] = mapped_column(server_default="")
    """What the last look at its merge ended with, a `MergeAnswer`; empty: nobody looked."""
    merge_sentence: Mapped[str] = mapped_column(server_default="")
    merge_head_sha: Mapped[str] = mapped_column(server_default="")
    """What was at its head then."""
    merge_approved_by: Mapped[list[str]] = mapped_column(server_default="{}")
    """Whose approvals counted when we merged it."""
    rebased_from: Mapped[str] = mapped_column(server_default="")
    """The head that GitLab was asked to rebase; empty: none."""
    train_head_sha: Mapped[str] = mapped_column(server_default="")
    """The head with which we put it on a merge train; empty: none."""
    has_reviewer: Mapped[bool | None]
    """Somebody was asked for a review when it was opened or last described; None: not known."""


class MergeRequestEventRow(Base):
    """What happened to a merge request, for metrics: approvals, commits of people, merge, close."""

    __tablename__ = "merge_request_events"

    id: Mapped[Serial]
    merge_request_id: Mapped[int] = mapped_column(ForeignKey("merge_requests.id"), index=True)
    action: Mapped[str]
    actor_id: Mapped[int | None]
    actor: Mapped[str]
    head_sha: Mapped[str]
    at: Mapped[datetime]


class TargetPipelineRow(Base):
    """A pipeline of a repository's own for the branch of a merge request: what its CI says of our fix."""

    __tablename__ = "target_pipelines"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """GitLab's pipeline id: unique in the instance."""
    merge_request_id: Mapped[int] = mapped_column(ForeignKey("merge_requests.id"), index=True)
    sha: Mapped[str]
    source: Mapped[str]
    status: Mapped[str]
    url: Mapped[str]
    created_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seen_at: Mapped[datetime]


class TicketPictureRow(Base):
    """A picture of before or after that is attached to the ticket."""

    __tablename__ = "ticket_pictures"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    filename: Mapped[str] = mapped_column(primary_key=True)
    iteration: Mapped[int]
    repository: Mapped[str]
    position: Mapped[int]
    """Of the pictures of its repository and iteration, in the order in which they are shown."""


class NoteRow(Base):
    """Where a status note stands, so that it is edited and never doubled."""

    __tablename__ = "notes"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    """`ticket`, `confidential`, `refusal`, `question:1`, `plan:1`, `answer:10203`, or a merge request's repository."""
    note_id: Mapped[str]
    body_sha256: Mapped[str]
    updated_at: Mapped[datetime]
