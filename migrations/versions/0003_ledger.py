"""Prices and usage."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("above_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("input", sa.Numeric(precision=18, scale=10), nullable=False),
        sa.Column("output", sa.Numeric(precision=18, scale=10), nullable=False),
        sa.Column("cache_write_5m", sa.Numeric(precision=18, scale=10), nullable=False),
        sa.Column("cache_write_1h", sa.Numeric(precision=18, scale=10), nullable=False),
        sa.Column("cache_read", sa.Numeric(precision=18, scale=10), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prices")),
        sa.UniqueConstraint(
            "model", "valid_from", "above_tokens", name=op.f("uq_prices_model_valid_from_above_tokens")
        ),
    )
    op.create_table(
        "usage",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("iteration", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reserved_usd", sa.Numeric(precision=18, scale=10), nullable=False),
        sa.Column("uncached_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_5m_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cache_write_1h_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("usage", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("price_id", sa.BigInteger(), nullable=True),
        sa.Column("cost_usd", sa.Numeric(precision=18, scale=10), nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("http_status", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("streamed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('reserved', 'settled', 'unknown', 'released')", name=op.f("ck_usage_state")),
        sa.ForeignKeyConstraint(["price_id"], ["prices.id"], name=op.f("fk_usage_price_id_prices")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_usage_run_id_runs")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_usage_session_id_sessions")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_usage")),
    )
    op.create_index("ix_usage_open", "usage", ["reserved_at"], unique=False, postgresql_where="state = 'reserved'")
    op.create_index("ix_usage_reserved_at", "usage", ["reserved_at"], unique=False)
    op.create_index("ix_usage_run_id", "usage", ["run_id", "iteration", "phase"], unique=False)
