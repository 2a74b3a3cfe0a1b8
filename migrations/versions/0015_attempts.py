"""Say why an iteration began, and which reports of earlier ones count in it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("iterations", sa.Column("cause", sa.Text(), server_default="admitted", nullable=False))
    op.execute(
        """
        UPDATE iterations AS i SET cause = CASE
            WHEN i.approved_by IS NOT NULL AND before.kind = 'analysis' THEN 'approved'
            WHEN i.plan_id IS NOT NULL AND i.diagnosis IS NOT NULL THEN 'sent_back'
            ELSE 'answered' END
        FROM iterations AS before WHERE before.run_id = i.run_id AND before.number = i.number - 1
        """
    )
    op.add_column("sessions", sa.Column("client", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "reused_reports",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("iteration", sa.BigInteger(), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("key_sha256", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "iteration", "report_id", name="pk_reused_reports"),
        sa.ForeignKeyConstraint(
            ["run_id", "iteration"],
            ["iterations.run_id", "iterations.number"],
            name="fk_reused_reports_run_id_iterations",
        ),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name="fk_reused_reports_report_id_reports"),
    )
