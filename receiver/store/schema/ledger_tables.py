"""Tables of the ledger: prices as dated rows, and every model call with its tokens and its cost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.schema.columns import Base, Json, Serial


class PhaseFundsRow(Base):
    """What a phase at work holds: what it usually costs, from its first model call on."""

    __tablename__ = "phase_funds"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), primary_key=True, autoincrement=False)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    iteration: Mapped[int]
    phase: Mapped[str]
    job_id: Mapped[int]
    amount_usd: Mapped[Decimal]
    """0 where nothing is known of its costs."""
    until: Mapped[datetime] = mapped_column(index=True)
    """The end of its session at the latest."""


class PriceRow(Base):
    """US dollars per million tokens of a model from a date on, for prompts longer than a threshold."""

    __tablename__ = "prices"
    __table_args__ = (UniqueConstraint("model", "valid_from", "above_tokens"),)

    id: Mapped[Serial]
    model: Mapped[str]
    valid_from: Mapped[datetime]
    above_tokens: Mapped[int] = mapped_column(server_default="0")
    """Holds for requests whose whole prompt (cached parts included) is longer than this; the highest that fits wins."""
    input: Mapped[Decimal]
    output: Mapped[Decimal]
    cache_write_5m: Mapped[Decimal]
    cache_write_1h: Mapped[Decimal]
    cache_read: Mapped[Decimal]
    source: Mapped[str]
    noted_at: Mapped[datetime]
    """When the figures were read from the source."""


class UsageRow(Base):
    """One model call: reserved before it is made, then settled, or held at its reservation and marked unknown."""

    __tablename__ = "usage"
    __table_args__ = (
        Index("ix_usage_run_id", "run_id", "iteration", "phase"),
        Index("ix_usage_open", "reserved_at", postgresql_where="state = 'reserved'"),
        Index("ix_usage_reserved_at", "reserved_at"),
        CheckConstraint("state IN ('reserved', 'settled', 'unknown', 'released')", name="state"),
        CheckConstraint("owner = 'product' OR (owner = 'run' AND run_id IS NOT NULL)", name="owner"),
    )

    call_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(server_default="run")
    """Who pays: `run`, or `product` for calls of the product itself (warm-ups, checks), which belong to no run."""
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    iteration: Mapped[int]
    """0 for a call of the product itself."""
    phase: Mapped[str]
    repository: Mapped[str | None]
    job_id: Mapped[int | None]
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id"))
    agent: Mapped[str | None]
    purpose: Mapped[str]
    """`context` or `work`."""
    prompt_version: Mapped[str | None]
    """SHA-256 of the prompts that the job's client has, as it says; None: it did not say."""
    prefix_sha256: Mapped[str | None]
    """Of the request's cacheable prefix, measured by the gateway (`receiver.gateway.prefix`)."""
    is_first: Mapped[bool | None]
    """It opens a conversation, as the gateway saw; None: made before this was recorded."""
    prefix_tokens: Mapped[int | None]
    """Length of the prefix, from the usage of a call that opens a conversation; None for others."""
    model: Mapped[str]
    """As requested."""
    request_id: Mapped[str | None]
    """Anthropic's, from the response's header."""
    message_id: Mapped[str | None]
    state: Mapped[str]
    """`reserved`, `settled`, `unknown` (no whole answer arrived), or `released` (refused upstream, not billed)."""
    reserved_usd: Mapped[Decimal]
    uncached_tokens: Mapped[int | None]
    cache_read_tokens: Mapped[int | None]
    cache_write_5m_tokens: Mapped[int | None]
    cache_write_1h_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    usage: Mapped[Json | None]
    """As the API gave it."""
    price_id: Mapped[int | None] = mapped_column(ForeignKey("prices.id"))
    cost_usd: Mapped[Decimal | None]
    """None while unknown; never 0 for want of a price."""
    stop_reason: Mapped[str | None]
    http_status: Mapped[int | None]
    error: Mapped[str | None]
    streamed: Mapped[bool] = mapped_column(server_default="false")
    reserved_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
