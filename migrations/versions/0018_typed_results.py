"""Keep what effects found in columns: remarks, reviewers, commits that are held back, pictures on the ticket."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

REQUESTS = """
UPDATE merge_requests AS request
SET has_reviewer = NOT (opened.result ->> 'is_nobody_asked')::boolean,
    held_back = opened.result ->> 'own_pipeline' = 'waits' AND NOT EXISTS (
        SELECT FROM effects AS started
        WHERE started.run_id = opened.run_id AND started.kind = 'StartTargetPipeline' AND started.id > opened.id
          AND started.payload ->> 'repository' = request.repository AND (started.result ->> 'started')::boolean
    )
FROM effects AS opened
WHERE opened.run_id = request.run_id AND opened.kind = 'OpenMergeRequest' AND opened.state = 'done'
  AND opened.payload ->> 'repository' = request.repository
  AND opened.result ?& ARRAY['is_nobody_asked', 'own_pipeline']
  AND NOT EXISTS (
        SELECT FROM effects AS later
        WHERE later.run_id = opened.run_id AND later.kind = opened.kind AND later.id > opened.id
          AND later.state = 'done' AND later.payload ->> 'repository' = request.repository
  )
"""

PICTURES = """
INSERT INTO ticket_pictures (run_id, filename, iteration, repository, position)
SELECT run_id, file.name, (payload ->> 'iteration')::bigint, payload ->> 'repository', file.number - 1
FROM effects, jsonb_array_elements_text(result -> 'files') WITH ORDINALITY AS file (name, number)
WHERE kind = 'AttachEvidence' AND state = 'done' AND jsonb_typeof(result -> 'files') = 'array'
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    op.add_column("effects", sa.Column("remark", sa.Text(), server_default="", nullable=False))
    op.add_column("merge_requests", sa.Column("held_back", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("merge_requests", sa.Column("has_reviewer", sa.Boolean(), nullable=True))
    op.create_table(
        "ticket_pictures",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("iteration", sa.BigInteger(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "filename", name="pk_ticket_pictures"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_ticket_pictures_run_id_runs"),
    )
    op.execute("UPDATE effects SET remark = result ->> 'sentence' WHERE result ->> 'sentence' <> ''")
    op.execute(REQUESTS)
    op.execute(PICTURES)
