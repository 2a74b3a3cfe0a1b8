"""Tables that figures read: what became of a fix, what people thought of it, what was tried, one row per episode."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.schema.columns import Base, Serial


class EpisodeRow(Base):
    """A ticket's episode: its run and the restarts within 14 days. Written with each decision, from the rows below."""

    __tablename__ = "run_facts"
    __table_args__ = (Index("ix_run_facts_finished_at", "finished_at"), Index("ix_run_facts_updated_at", "updated_at"))

    episode: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    """The first run's id."""
    issue_key: Mapped[str]
    runs: Mapped[int]
    last_run: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    status: Mapped[str]
    """This and what follows up to the hashes: of the last run."""
    reason_code: Mapped[str | None]
    confidential: Mapped[bool]
    product_version: Mapped[str | None]
    prompts_sha256: Mapped[str | None]
    templates_sha256: Mapped[str | None]
    catalogue_sha256: Mapped[str | None]
    labelled_at: Mapped[datetime]
    """When the label was set first."""
    implementation_at: Mapped[datetime | None]
    """When the first job that implements began; None: none did."""
    finished_at: Mapped[datetime | None]
    """When the last run came to its end; None while it has none."""
    merged_at: Mapped[datetime | None]
    """When the last merge request was merged."""
    first_review_at: Mapped[datetime | None]
    iterations: Mapped[int]
    """Attempts at a fix; retries for infrastructure and attempts that ended in waiting for people are left out."""
    interventions: Mapped[int]
    merge_requests: Mapped[int]
    merged: Mapped[int]
    """Merge requests that were merged."""
    people_commits: Mapped[int]
    """Commits of people on the branches."""
    calls: Mapped[int]
    """Model calls that are billed, or may be."""
    unpriced_calls: Mapped[int]
    """Those whose cost is unknown; `known_usd` and `held_usd` are the range."""
    known_usd: Mapped[Decimal]
    held_usd: Mapped[Decimal]
    """Reserved for the unpriced calls: their worst case."""
    uncached_tokens: Mapped[int]
    cache_read_tokens: Mapped[int]
    cache_write_5m_tokens: Mapped[int]
    cache_write_1h_tokens: Mapped[int]
    output_tokens: Mapped[int]
    busy_s: Mapped[float]
    """Seconds in which a job (its runner's queue included) or an effect was active; overlaps count once."""
    updated_at: Mapped[datetime]


class OutcomeRow(Base):
    """What became of a merge request."""

    __tablename__ = "outcomes"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    repository: Mapped[str] = mapped_column(primary_key=True)
    first_review_at: Mapped[datetime | None]
    """The first approval, or note of a person."""
    merged_at: Mapped[datetime | None]
    people_commits: Mapped[int] = mapped_column(server_default="0")
    """Commits of people on the branch."""
    reverted_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]
    """When the ticket was opened again."""


class LeverRow(Base):
    """How a run differs from others on purpose, so that the difference can be measured."""

    __tablename__ = "run_levers"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    lever: Mapped[str] = mapped_column(primary_key=True)
    """What was set, for example `model` or `context`."""
    arm: Mapped[str]
    """What it was set to."""
    why: Mapped[str]
    """What chose it: a rule, an experiment, a person."""
    at: Mapped[datetime]


class FeedbackRow(Base):
    """What somebody thought of something that the product wrote."""

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("run_id", "target", "actor"),
        CheckConstraint("verdict IN ('up', 'down', 'dismissed')", name="verdict"),
    )

    id: Mapped[Serial]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    target: Mapped[str]
    """What it is about: a note's target as in `notes`, or a finding."""
    actor: Mapped[str]
    """The account; nobody votes twice on one thing."""
    verdict: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    """Why it was dismissed, in the person's words."""
    at: Mapped[datetime]
