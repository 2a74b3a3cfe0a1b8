"""Keep every command that somebody gave, wherever it was said, and that a run is paused or may cost more."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE OR REPLACE FUNCTION accept_deliveries(
    _sources text[], _keys text[], _ordering_keys text[], _kinds text[], _headers jsonb[], _bodies bytea[],
    _received_at timestamptz[], _queue text, _task text
) RETURNS TABLE (place int, id bigint, repeated boolean) LANGUAGE plpgsql AS $$
DECLARE
    _ids bigint[];
    _stored text[];
    _jobs procrastinate_job_to_defer_v1[];
BEGIN
    -- Without these locks, of two transactions the one that began first but commits last would be handled second.
    -- Sorted, so that two batches with the same keys can't wait for each other.
    PERFORM pg_advisory_xact_lock(hashtextextended('delivery:' || o.key, 0))
    FROM (SELECT DISTINCT k.key FROM unnest(_ordering_keys) AS k (key) ORDER BY 1) AS o;
    WITH stored AS (
        INSERT INTO deliveries AS d (source, key, ordering_key, kind, headers, body, received_at)
        SELECT n.source, n.key, n.ordering_key, n.kind, n.headers, n.body, n.received_at
        FROM unnest(_sources, _keys, _ordering_keys, _kinds, _headers, _bodies, _received_at) WITH ORDINALITY
             AS n (source, key, ordering_key, kind, headers, body, received_at, place)
        ORDER BY n.place
        ON CONFLICT (key) DO NOTHING
        RETURNING d.id, d.key, d.ordering_key
    )
    SELECT array_agg(s.id ORDER BY s.id), array_agg(s.key ORDER BY s.id), array_agg(ROW(
               CASE WHEN starts_with(s.ordering_key, 'now:') THEN 'urgent' ELSE _queue END, _task, 0,
               'delivery:' || s.ordering_key, NULL, jsonb_build_object('delivery_id', s.id), NULL
           )::procrastinate_job_to_defer_v1 ORDER BY s.id)
    INTO _ids, _stored, _jobs FROM stored AS s;
    IF _jobs IS NOT NULL THEN
        PERFORM procrastinate_defer_jobs_v1(_jobs);
    END IF;
    IF cardinality(_ids) = cardinality(_keys) THEN
        RETURN QUERY SELECT n.place::int, n.id, false FROM unnest(_ids) WITH ORDINALITY AS n (id, place);
        RETURN;
    END IF;
    -- Some were here before, or stand in this batch twice: of these only the first one is new.
    UPDATE deliveries AS d SET times_received = d.times_received + r.times
    FROM (SELECT k.key, count(*) - (k.key = ANY (coalesce(_stored, '{}')))::int AS times
          FROM unnest(_keys) AS k (key) GROUP BY k.key) AS r
    WHERE d.key = r.key AND r.times > 0;
    RETURN QUERY
    SELECT n.place::int, d.id,
           NOT (n.key = ANY (coalesce(_stored, '{}'))) OR row_number() OVER (PARTITION BY n.key ORDER BY n.place) > 1
    FROM unnest(_keys) WITH ORDINALITY AS n (key, place) LEFT JOIN deliveries AS d ON d.key = n.key;
END
$$
"""
"""As before, but what says to cancel or to escalate goes into a queue of its own: no other may hold it up."""


def upgrade() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("hint", sa.Text(), server_default="", nullable=False),
        sa.Column("directory", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("author_name", sa.Text(), server_default="", nullable=False),
        sa.Column("is_obeyed", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_commands_run_id_runs"),
        sa.UniqueConstraint("venue", "place", "message", name="uq_commands_venue_place_message"),
    )
    op.create_index("ix_commands_run_id", "commands", ["run_id"])
    op.add_column("runs", sa.Column("paused_from", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("extra_usd", sa.Numeric(18, 10), server_default="0", nullable=False))
    op.add_column("runs", sa.Column("unlabelled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("merge_requests", sa.Column("iteration", sa.BigInteger(), nullable=True))
    op.execute(FUNCTION)
    op.add_column("runs", sa.Column("is_commanded", sa.Boolean(), server_default="false", nullable=False))
