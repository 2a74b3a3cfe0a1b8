"""The table of what healing applied."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.schema.columns import Base


class AppliedRemedyRow(Base):
    """A remedy that is applied to the change of a repository, and how far it came."""

    __tablename__ = "remedies"
    __table_args__ = (ForeignKeyConstraint(["run_id", "iteration"], ["iterations.run_id", "iterations.number"]),)

    run_id: Mapped[str] = mapped_column(primary_key=True)
    iteration: Mapped[int] = mapped_column(primary_key=True)
    """In which it is applied; it moves on with an iteration that was interrupted."""
    repository: Mapped[str] = mapped_column(primary_key=True)
    mends: Mapped[int]
    """The iteration whose change it mends."""
    remedy: Mapped[str]
    """Its id in the run's catalogue."""
    tier: Mapped[int]
    confidence: Mapped[Decimal]
    action: Mapped[str]
    """`pipelines.language.remedy.Action`, as policy had it."""
    state: Mapped[str]
    """`receiver.workflow.remedy_state.RemedyState`."""
    matched_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]
    """When it was verified, green or red."""
    shown_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    """When its merge request was merged or closed."""
