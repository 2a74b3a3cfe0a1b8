"""Hold for a phase what it usually costs, with its first model call, so that others leave it room."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

USUAL = """
CREATE FUNCTION usual_cost(_phase text, _at timestamptz) RETURNS numeric LANGUAGE sql STABLE AS $$
    -- A pass with a call of unknown cost has no known cost.
    SELECT avg(p.cost) FROM (
        SELECT sum(u.cost_usd) AS cost FROM usage AS u
        WHERE u.phase = _phase AND u.state = 'settled' AND u.owner = 'run' AND u.reserved_at > _at - interval '90 days'
        GROUP BY u.run_id, u.iteration, u.repository HAVING count(*) = count(u.cost_usd)
    ) AS p
$$
"""

KEPT = """
CREATE FUNCTION kept_for_phases(_session_id bigint, _at timestamptz)
RETURNS TABLE (run_id text, rest numeric) LANGUAGE sql STABLE AS $$
    -- What phases at work, other than that of the session, have not spent yet of what was held for them.
    SELECT f.run_id, greatest(f.amount_usd - coalesce((
               SELECT sum(coalesce(u.cost_usd, u.reserved_usd)) FROM usage AS u
               WHERE u.run_id = f.run_id AND u.iteration = f.iteration AND u.phase = f.phase
                 AND u.session_id = f.session_id AND u.state <> 'released'), 0), 0)
    FROM phase_funds AS f JOIN runs AS r ON r.id = f.run_id LEFT JOIN jobs AS j ON j.id = f.job_id
    WHERE f.until > _at AND f.session_id IS DISTINCT FROM _session_id
      AND r.iteration = f.iteration AND r.status IN ('starting', 'running')
      AND (j.status IS NULL OR j.status NOT IN ('success', 'failed', 'canceled', 'skipped', 'canceling'))
      AND NOT EXISTS (SELECT FROM reports AS p WHERE p.run_id = f.run_id AND p.session_id = f.session_id)
$$
"""

# A function beside `reserve_call`, which receivers of the previous release call until they are replaced.
RESERVE = """
CREATE FUNCTION reserve_funds(
    _call_id text, _run_id text, _iteration bigint, _phase text, _repository text, _job_id bigint, _session_id bigint,
    _agent text, _purpose text, _model text, _streamed boolean, _amount numeric, _at timestamptz, _midnight timestamptz,
    _run_budget numeric, _day_budget numeric, _owner text, _prompt_version text, _prefix_sha256 text, _is_first boolean,
    _until timestamptz
) RETURNS TABLE (run_held numeric, day_held numeric, wanted numeric, is_phase boolean) LANGUAGE plpgsql AS $$
DECLARE
    _usual numeric := 0;
    _run_kept numeric;
    _day_kept numeric;
BEGIN
    is_phase := NOT EXISTS (SELECT FROM phase_funds AS f WHERE f.session_id = _session_id);
    IF is_phase THEN
        _usual := coalesce(usual_cost(_phase, _at), 0);
    END IF;
    wanted := greatest(_amount, _usual);
    is_phase := wanted > _amount;
    -- Reservations are made one after the other, so that calls at the same time can't spend the same dollar.
    PERFORM pg_advisory_xact_lock(hashtextextended('budget', 0));
    SELECT coalesce(sum(k.rest) FILTER (WHERE k.run_id = _run_id), 0), coalesce(sum(k.rest), 0)
    INTO _run_kept, _day_kept FROM kept_for_phases(_session_id, _at) AS k;
    SELECT coalesce(sum(coalesce(u.cost_usd, u.reserved_usd)), 0) + _run_kept INTO run_held
    FROM usage AS u WHERE u.state <> 'released' AND u.run_id = _run_id;
    SELECT coalesce(sum(coalesce(u.cost_usd, u.reserved_usd)), 0) + _day_kept INTO day_held
    FROM usage AS u WHERE u.state <> 'released' AND u.reserved_at >= _midnight;
    IF run_held + wanted <= _run_budget AND day_held + wanted <= _day_budget THEN
        INSERT INTO phase_funds (session_id, run_id, iteration, phase, job_id, amount_usd, until)
        VALUES (_session_id, _run_id, _iteration, _phase, _job_id, _usual, _until) ON CONFLICT DO NOTHING;
        INSERT INTO usage (call_id, run_id, iteration, phase, repository, job_id, session_id, agent, purpose, model,
                           state, reserved_usd, streamed, reserved_at, owner, prompt_version, prefix_sha256, is_first)
        VALUES (_call_id, _run_id, _iteration, _phase, _repository, _job_id, _session_id, _agent, _purpose, _model,
                'reserved', _amount, _streamed, _at, _owner, _prompt_version, _prefix_sha256, _is_first);
    END IF;
    RETURN NEXT;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "phase_funds",
        sa.Column("session_id", sa.BigInteger, sa.ForeignKey("sessions.id"), primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("iteration", sa.BigInteger, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("job_id", sa.BigInteger, nullable=False),
        sa.Column("amount_usd", sa.Numeric(18, 10), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_phase_funds_until", "phase_funds", ["until"])
    for function in (USUAL, KEPT, RESERVE):
        op.execute(function)
