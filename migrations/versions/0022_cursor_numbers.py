"""Remember which of a hook's deliveries was looked at last: GitLab tells of their numbers, not of their times."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cursors", sa.Column("number", sa.BigInteger()))
