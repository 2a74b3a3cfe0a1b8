"""Keep what a ticket was asked before a model read it, and what an analysis usually cost then."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("asked", sa.Text))
    op.add_column("runs", sa.Column("saved_usd", sa.Numeric(18, 10)))
