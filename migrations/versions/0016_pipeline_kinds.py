"""Give pipelines a kind and a number, and let claims belong to them: iteration n is `fix n`."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("pipelines", "jobs", "sessions", "reports"):
        op.add_column(table, sa.Column("kind", sa.Text(), server_default="fix", nullable=False))
    op.create_table(
        "claims",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("pipeline_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "kind", "number", name="pk_claims"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_claims_run_id_runs"),
    )
    op.execute(
        "INSERT INTO claims (run_id, kind, number, pipeline_id, at)"
        " SELECT run_id, 'fix', number, claimed_by, coalesce(claimed_at, started_at) FROM iterations"
        " WHERE claimed_by IS NOT NULL"
    )
