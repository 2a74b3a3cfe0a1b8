"""Keep beside a run's frozen catalogue whether it names readers of what is confidential: lists read no catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("names_readers", sa.Boolean(), server_default="false", nullable=False))
    op.execute(
        "UPDATE runs SET names_readers = true WHERE jsonb_typeof(catalogue -> 'jira' -> 'confidential') = 'object'"
    )
