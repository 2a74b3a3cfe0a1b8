"""Keep what agents are told of a repository at a commit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contexts",
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("commit_sha", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("built_by", sa.Text(), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["built_by"], ["runs.id"], name=op.f("fk_contexts_built_by_runs")),
        sa.PrimaryKeyConstraint("repository", "commit_sha", "version", name=op.f("pk_contexts")),
    )
    op.create_index(op.f("ix_contexts_built_at"), "contexts", ["built_at"], unique=False)
