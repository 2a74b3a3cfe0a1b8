"""Store and enqueue deliveries in one round trip: a function that takes the locks, inserts and defers.

It calls procrastinate's own versioned function, so a newer queue that drops it shows in the tests of the inbox.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION accept_deliveries(
    _sources text[], _keys text[], _ordering_keys text[], _kinds text[], _headers jsonb[], _bodies bytea[],
    _received_at timestamptz[], _queue text, _task text
) RETURNS TABLE (place int, id bigint, repeated boolean) LANGUAGE plpgsql AS $$
DECLARE
    _id bigint;
    _ordering_key text;
BEGIN
    -- Without these locks, of two transactions the one that began first but commits last would be handled second.
    -- Sorted, so that two batches with the same keys can't wait for each other.
    FOR _ordering_key IN SELECT DISTINCT unnest(_ordering_keys) ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('delivery:' || _ordering_key, 0));
    END LOOP;
    FOR place IN 1 .. cardinality(_keys) LOOP
        INSERT INTO deliveries AS d (source, key, ordering_key, kind, headers, body, received_at)
        VALUES (_sources[place], _keys[place], _ordering_keys[place], _kinds[place], _headers[place], _bodies[place],
                _received_at[place])
        ON CONFLICT (key) DO NOTHING
        RETURNING d.id INTO _id;
        repeated := _id IS NULL;
        IF repeated THEN
            UPDATE deliveries AS d SET times_received = d.times_received + 1
            WHERE d.key = _keys[place] RETURNING d.id INTO _id;
        ELSE
            PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
                _queue, _task, 0, 'delivery:' || _ordering_keys[place], NULL,
                jsonb_build_object('delivery_id', _id), NULL
            )::procrastinate_job_to_defer_v1]);
        END IF;
        id := _id;
        RETURN NEXT;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    op.execute(FUNCTION)
