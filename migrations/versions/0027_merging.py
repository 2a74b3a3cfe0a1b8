"""What the last look at the merge of a merge request ended with."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TEXTS = ("merge_answer", "merge_sentence", "merge_head_sha", "rebased_from", "train_head_sha")


def upgrade() -> None:
    for name in TEXTS:
        op.add_column("merge_requests", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "merge_requests", sa.Column("merge_approved_by", sa.ARRAY(sa.Text()), nullable=False, server_default="{}")
    )
