"""Reserve the money of a model call in one round trip: a function that takes the lock, adds up and inserts.

Inside of a function each statement sees what was committed before it, so the sums are those after the lock was got.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION reserve_call(
    _call_id text, _run_id text, _iteration bigint, _phase text, _repository text, _job_id bigint, _session_id bigint,
    _agent text, _purpose text, _model text, _streamed boolean, _amount numeric, _at timestamptz, _midnight timestamptz,
    _run_budget numeric, _day_budget numeric
) RETURNS TABLE (run_held numeric, day_held numeric) LANGUAGE plpgsql AS $$
BEGIN
    -- Reservations are made one after the other, so that calls at the same time can't spend the same dollar.
    PERFORM pg_advisory_xact_lock(hashtextextended('budget', 0));
    SELECT coalesce(sum(coalesce(u.cost_usd, u.reserved_usd)), 0) INTO run_held
    FROM usage AS u WHERE u.state <> 'released' AND u.run_id = _run_id;
    SELECT coalesce(sum(coalesce(u.cost_usd, u.reserved_usd)), 0) INTO day_held
    FROM usage AS u WHERE u.state <> 'released' AND u.reserved_at >= _midnight;
    IF run_held + _amount <= _run_budget AND day_held + _amount <= _day_budget THEN
        INSERT INTO usage (call_id, run_id, iteration, phase, repository, job_id, session_id, agent, purpose, model,
                           state, reserved_usd, streamed, reserved_at)
        VALUES (_call_id, _run_id, _iteration, _phase, _repository, _job_id, _session_id, _agent, _purpose, _model,
                'reserved', _amount, _streamed, _at);
    END IF;
    RETURN NEXT;
END
$$
"""


def upgrade() -> None:
    op.execute(FUNCTION)
