"""Keep how an attempt failed, so that later ones are compared with it: a run must not go in circles."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("iterations", sa.Column("failure", postgresql.JSONB(), nullable=True))
