"""Prices as read on 2026-11-22, US dollars per million tokens.

Figures: litellm 1.109.1's table of Anthropic prices, which cites the pages named in `SOURCES`. A price that changed
before that day has a row for each period. `claude-fable-5-2` and `claude-mythos-5-2` are known by name only: no price
was found, so their cost stays unknown. Later figures come in later revisions; these rows are never changed.
"""

from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NOTED = datetime(2026, 11, 22, tzinfo=UTC)
START = datetime(2025, 1, 1, tzinfo=UTC)
"""No figure is claimed for the time before."""
OCTOBER_7 = datetime(2026, 10, 7, tzinfo=UTC)
"""Cache reads of Sonnet 5.5 fell, and Haiku 5.5 came with a price by prompt length."""

PRICING = "https://platform.claude.com/docs/en/about-claude/pricing"
OVERVIEW = "https://platform.claude.com/docs/en/about-claude/models/overview"
HAIKU = "https://platform.claude.com/docs/en/models/haiku-5-5/overview"
SONNET_BEFORE = "announced change of 2026-10-07: cache reads were 0.20 before"
ALIAS = "same as the model without the date in its name"

# model, valid from, prompts above, input, output, cache write 5 min, cache write 1 h, cache read, source
FIGURES = (
    ("claude-fable-5", START, 0, "10", "50", "12.5", "20", "1", PRICING),
    ("claude-fable-5-1", START, 0, "10", "50", "12.5", "20", "0.25", PRICING),
    ("claude-mythos-5", START, 0, "10", "50", "12.5", "20", "1", PRICING),
    ("claude-mythos-5-1", START, 0, "10", "50", "12.5", "20", "0.25", PRICING),
    ("claude-mythos-preview", START, 0, "10", "50", "12.5", "20", "1", OVERVIEW),
    ("claude-haiku-4-5", START, 0, "1", "5", "1.25", "2", "0.1", PRICING),
    ("claude-haiku-4-5-20251001", START, 0, "1", "5", "1.25", "2", "0.1", ALIAS),
    ("claude-haiku-5-5", OCTOBER_7, 0, "0.1", "0.5", "0.125", "0.2", "0.01", HAIKU),
    ("claude-haiku-5-5", OCTOBER_7, 100_000, "0.5", "2.5", "0.625", "1", "0.05", HAIKU),
    ("claude-opus-4-5", START, 0, "5", "25", "6.25", "10", "0.5", PRICING),
    ("claude-opus-4-5-20251101", START, 0, "5", "25", "6.25", "10", "0.5", ALIAS),
    ("claude-opus-4-6", START, 0, "5", "25", "6.25", "10", "0.5", PRICING),
    ("claude-opus-4-6-20260205", START, 0, "5", "25", "6.25", "10", "0.5", ALIAS),
    ("claude-opus-4-7", START, 0, "5", "25", "6.25", "10", "0.5", PRICING),
    ("claude-opus-4-7-20260416", START, 0, "5", "25", "6.25", "10", "0.5", ALIAS),
    ("claude-opus-4-8", START, 0, "5", "25", "6.25", "10", "0.5", PRICING),
    ("claude-opus-5", START, 0, "5", "25", "6.25", "10", "0.5", PRICING),
    ("claude-opus-5-5", START, 0, "4", "20", "5", "8", "0.2", PRICING),
    ("claude-sonnet-4-5", START, 0, "3", "15", "3.75", "6", "0.3", PRICING),
    ("claude-sonnet-4-5-20250929", START, 0, "3", "15", "3.75", "6", "0.3", ALIAS),
    ("claude-sonnet-4-6", START, 0, "3", "15", "3.75", "6", "0.3", PRICING),
    ("claude-sonnet-5", START, 0, "2", "10", "2.5", "4", "0.2", PRICING),
    ("claude-sonnet-5-5", START, 0, "2", "10", "2.5", "4", "0.2", SONNET_BEFORE),
    ("claude-sonnet-5-5", OCTOBER_7, 0, "2", "10", "2.5", "4", "0.1", PRICING),
)

NAMES = ("model", "valid_from", "above_tokens")
MONEY = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")

PRICES = sa.table(
    "prices",
    sa.column("model", sa.Text),
    sa.column("valid_from", sa.DateTime(timezone=True)),
    sa.column("above_tokens", sa.BigInteger),
    *(sa.column(name, sa.Numeric(18, 10)) for name in MONEY),
    sa.column("source", sa.Text),
    sa.column("noted_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.bulk_insert(
        PRICES,
        [
            dict(zip(NAMES, row[:3], strict=True))
            | {name: Decimal(str(figure)) for name, figure in zip(MONEY, row[3:8], strict=True)}
            | {"source": row[8], "noted_at": NOTED}
            for row in FIGURES
        ],
    )
