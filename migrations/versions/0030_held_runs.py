"""Keep whether the label that pauses holds a run, also while nothing is at work that could be paused."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("is_held", sa.Boolean, nullable=False, server_default="false"))
