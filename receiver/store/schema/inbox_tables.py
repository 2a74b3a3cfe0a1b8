"""Tables of what came in and what was decided about it: deliveries and decisions; and how far we looked ourselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.schema.columns import Base, Json, Serial


class DeliveryRow(Base):
    """One HTTP hook request, kept as it came. A delivery without a verdict is still to be handled."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_undecided", "received_at", postgresql_where="verdict IS NULL"),
        Index("ix_deliveries_received_at", "received_at"),
        Index("ix_deliveries_run_id", "run_id"),
    )

    id: Mapped[Serial]
    source: Mapped[str]
    """`gitlab`, `jira` or `operator`."""
    key: Mapped[str] = mapped_column(unique=True)
    """The same for every sending of one delivery."""
    ordering_key: Mapped[str]
    """Deliveries with the same ordering key are handled one after the other, in the order of arrival."""
    kind: Mapped[str]
    """The vendor's name of the event, for example `Pipeline Hook`."""
    headers: Mapped[Json]
    """Without secrets and signatures."""
    body: Mapped[bytes | None]
    """Raw bytes; None after retention."""
    received_at: Mapped[datetime]
    times_received: Mapped[int] = mapped_column(server_default="1")
    """How often the vendor sent it."""
    verdict: Mapped[str | None]
    """`acted`, `noted`, `ignored`, or `failed` when it could not be handled at all."""
    reason: Mapped[str | None]
    """A sentence for people."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    decided_at: Mapped[datetime | None]
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))


class DecisionRow(Base):
    """What was decided about an event of a run, and why. Never changed."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_run_id_id", "run_id", "id"),)

    id: Mapped[Serial]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"), index=True)
    """None when the event came from a performed effect, a report or the sweep."""
    effect_id: Mapped[int | None]
    """The effect whose result the event is."""
    event_kind: Mapped[str]
    event: Mapped[Json]
    verdict: Mapped[str]
    reason: Mapped[str]
    status_before: Mapped[str | None]
    status_after: Mapped[str | None]
    at: Mapped[datetime]


class CursorRow(Base):
    """Up to when a vendor was searched for what no hook told."""

    __tablename__ = "cursors"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    number: Mapped[int | None]
    """Up to which of the vendor's numbers, where these are what it tells."""
