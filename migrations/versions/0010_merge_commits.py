"""Keep the commit that merging a fix made: by it a revert is known later."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("merge_requests", sa.Column("merge_commit_sha", sa.Text(), nullable=True))
