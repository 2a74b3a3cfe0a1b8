"""Keep what went wrong in an attempt as data, beside the text that releases before this one wrote."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("iterations", sa.Column("diagnoses", JSONB(), nullable=True))
