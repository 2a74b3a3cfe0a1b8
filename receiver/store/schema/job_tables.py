"""Tables of what jobs do: sessions, reports with their artifacts, blobs, transcripts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.schema.columns import Base, Json, Serial


class SessionRow(Base):
    """A job's session, got once for its ID token."""

    __tablename__ = "sessions"

    id: Mapped[Serial]
    token_sha256: Mapped[str] = mapped_column(unique=True)
    jti: Mapped[str] = mapped_column(unique=True)
    """Of the ID token: used once."""
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    kind: Mapped[str] = mapped_column(server_default="fix")
    """`pipelines.language.PipelineKind`."""
    iteration: Mapped[int]
    """Number of the pipeline within its kind; of a fix the iteration."""
    phase: Mapped[str]
    repository: Mapped[str | None]
    project_id: Mapped[int]
    pipeline_id: Mapped[int]
    job_id: Mapped[int] = mapped_column(index=True)
    client: Mapped[str] = mapped_column(server_default="")
    """Version of the job client; empty: of a release without this column."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ClaimRow(Base):
    """The pipeline in GitLab that holds a run's pipeline of a kind and number: its job asked first."""

    __tablename__ = "claims"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    pipeline_id: Mapped[int]
    """Jobs of another pipeline are refused."""
    at: Mapped[datetime]


class ReportRow(Base):
    """What a job says it did. `pending` until GitLab says how the job ended."""

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("job_id", "sha256"),
        Index("ix_reports_run", "run_id", "iteration", "phase", "repository"),
        Index("ix_reports_pending", "received_at", postgresql_where="state = 'pending'"),
    )

    id: Mapped[Serial]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    kind: Mapped[str] = mapped_column(server_default="fix")
    """`pipelines.language.PipelineKind`."""
    iteration: Mapped[int]
    """Number of the pipeline within its kind; of a fix the iteration."""
    phase: Mapped[str]
    repository: Mapped[str | None]
    project_id: Mapped[int]
    pipeline_id: Mapped[int]
    job_id: Mapped[int]
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id"))
    """None when the sweep collected it from the job's artifacts."""
    sha256: Mapped[str]
    """Of the report's bytes: posting the same again changes nothing."""
    report: Mapped[Json]
    outcome: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="pending")
    """`pending`, `accepted` or `discarded`."""
    reason: Mapped[str] = mapped_column(server_default="")
    """Why it was discarded."""
    received_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class ArtifactRow(Base):
    """A file that a report lists."""

    __tablename__ = "artifacts"

    id: Mapped[Serial]
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), index=True)
    kind: Mapped[str]
    path: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]


class ContextRow(Base):
    """What agents are told of a repository at a commit."""

    __tablename__ = "contexts"

    repository: Mapped[str] = mapped_column(primary_key=True)
    commit_sha: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    """Of what is built."""
    document: Mapped[Json]
    """`pipelines.language.repository_context.RepositoryContext`."""
    built_by: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    built_at: Mapped[datetime] = mapped_column(index=True)


class BlobRow(Base):
    """Bytes that a job handed in, by hash."""

    __tablename__ = "blobs"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes | None]
    """None after retention: nobody owns it any more."""
    size: Mapped[int]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"), index=True)
    """The first that handed it in, for receivers of the previous release; `blob_owners` has all, and the next release
    drops this column."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    """The latest of its owners."""


class BlobOwnerRow(Base):
    """A run that handed a blob in and may read it."""

    __tablename__ = "blob_owners"
    __table_args__ = (Index("ix_blob_owners_kept", "expires_at", postgresql_where="purged_at IS NULL"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("blobs.sha256"), primary_key=True, index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    """When retention took it away from this run."""


class TranscriptRow(Base):
    """The conversation of an agent: JSON lines, in a blob."""

    __tablename__ = "transcripts"
    __table_args__ = (UniqueConstraint("job_id", "sha256"),)

    id: Mapped[Serial]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    iteration: Mapped[int]
    phase: Mapped[str]
    repository: Mapped[str | None]
    agent: Mapped[str | None]
    job_id: Mapped[int]
    sha256: Mapped[str]
    created_at: Mapped[datetime]
