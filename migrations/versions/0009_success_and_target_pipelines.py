"""Keep what the repositories' own pipelines say of our fixes, and the five indicators of a run's success."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "target_pipelines",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("merge_request_id", sa.BigInteger(), nullable=False),
        sa.Column("sha", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["merge_request_id"],
            ["merge_requests.id"],
            name=op.f("fk_target_pipelines_merge_request_id_merge_requests"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target_pipelines")),
    )
    op.create_index(op.f("ix_target_pipelines_merge_request_id"), "target_pipelines", ["merge_request_id"])
    op.create_table(
        "indicators",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_indicators_run_id_runs")),
        sa.PrimaryKeyConstraint("run_id", "moment", "name", name=op.f("pk_indicators")),
    )
