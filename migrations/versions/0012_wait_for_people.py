"""Let runs wait for people: what was asked and approved, which comments were taken in, what is confidential."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("issue_id", sa.Text(), server_default="", nullable=False))
    op.add_column("runs", sa.Column("confidential", sa.Boolean(), server_default="false", nullable=False))
    op.create_index("ix_runs_issue_id", "runs", ["issue_id"])
    op.add_column("iterations", sa.Column("plan_id", sa.BigInteger(), nullable=True))
    op.add_column("iterations", sa.Column("approved_by", sa.Text(), nullable=True))
    op.create_foreign_key("fk_iterations_plan_id_plans", "iterations", "plans", ["plan_id"], ["id"])
    op.create_table(
        "comment_commands",
        sa.Column("issue_key", sa.Text(), nullable=False),
        sa.Column("comment_id", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("issue_key", "comment_id", "command", name="pk_comment_commands"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_comment_commands_run_id_runs"),
    )
