"""Keep why a run ended as a code and, where something went wrong, as data beside its sentence."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("reason_code", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("diagnosis", JSONB(), nullable=True))
