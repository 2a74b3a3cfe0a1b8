"""Record what can't be filled in later: versions, prefixes, outcomes, levers, feedback, and a row per episode."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# A second function beside the first, which receivers of the previous release call until they are replaced.
RESERVE = """
CREATE FUNCTION reserve_call(
    _call_id text, _run_id text, _iteration bigint, _phase text, _repository text, _job_id bigint, _session_id bigint,
    _agent text, _purpose text, _model text, _streamed boolean, _amount numeric, _at timestamptz, _midnight timestamptz,
    _run_budget numeric, _day_budget numeric, _owner text, _prompt_version text, _prefix_sha256 text, _is_first boolean
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
                           state, reserved_usd, streamed, reserved_at, owner, prompt_version, prefix_sha256, is_first)
        VALUES (_call_id, _run_id, _iteration, _phase, _repository, _job_id, _session_id, _agent, _purpose, _model,
                'reserved', _amount, _streamed, _at, _owner, _prompt_version, _prefix_sha256, _is_first);
    END IF;
    RETURN NEXT;
END
$$
"""

# A run that begins within 14 days of the end of the ticket's run before is of the same episode.
EPISODES = """
WITH known AS (
    SELECT id, issue_key, created_at,
           created_at - lag(coalesce(finished_at, status_at)) OVER by_ticket > interval '14 days' AS is_apart
      FROM runs WHERE status NOT IN ('admitting', 'refused')
    WINDOW by_ticket AS (PARTITION BY issue_key ORDER BY created_at, id)
), numbered AS (
    SELECT id, issue_key, created_at,
           count(*) FILTER (WHERE is_apart) OVER (PARTITION BY issue_key ORDER BY created_at, id) AS number
      FROM known
), firsts AS (
    SELECT id, first_value(id) OVER (PARTITION BY issue_key, number ORDER BY created_at, id) AS episode FROM numbered
)
UPDATE runs SET episode = firsts.episode FROM firsts WHERE firsts.id = runs.id
"""

OUTCOMES = """
INSERT INTO outcomes (run_id, repository, first_review_at, merged_at, people_commits)
SELECT m.run_id, m.repository,
       least((SELECT min(e.at) FROM merge_request_events AS e
               WHERE e.merge_request_id = m.id AND e.action IN ('approved', 'approval')),
             (SELECT min(d.at) FROM decisions AS d
               WHERE d.run_id = m.run_id AND d.event_kind = 'NotePosted'
                 AND d.event ->> 'project_id' = m.project_id::text AND d.event ->> 'iid' = m.iid::text)),
       m.merged_at,
       (SELECT count(*) FROM merge_request_events AS e
         WHERE e.merge_request_id = m.id AND e.action = 'commit' AND EXISTS (
               SELECT FROM interventions AS v
                WHERE v.run_id = m.run_id AND v.kind = 'commit' AND v.actor = e.actor AND v.at = e.at))
  FROM merge_requests AS m
"""

FACTS = """
WITH r AS (
    SELECT * FROM runs WHERE status NOT IN ('admitting', 'refused')
), last AS (
    SELECT DISTINCT ON (episode) * FROM r ORDER BY episode, created_at DESC, id DESC
), whole AS (
    SELECT episode, count(*) AS runs, bool_or(confidential) AS confidential, min(labelled_at) AS labelled_at
      FROM r GROUP BY episode
), spans AS (
    SELECT r.episode, tstzrange(j.started_at - make_interval(secs => coalesce(j.queued_s, 0)), j.finished_at) AS span
      FROM jobs AS j JOIN r ON r.id = j.run_id
     WHERE j.finished_at > j.started_at - make_interval(secs => coalesce(j.queued_s, 0))
     UNION ALL
    SELECT r.episode, tstzrange(e.created_at, e.performed_at)
      FROM effects AS e JOIN r ON r.id = e.run_id WHERE e.performed_at > e.created_at
), busy AS (
    SELECT episode, sum(extract(epoch FROM upper(span) - lower(span))) AS busy_s
      FROM (SELECT episode, unnest(range_agg(span)) AS span FROM spans GROUP BY episode) AS merged GROUP BY episode
), spent AS (
    SELECT r.episode, count(*) AS calls,
           count(*) FILTER (WHERE u.state <> 'settled' OR u.cost_usd IS NULL) AS unpriced_calls,
           sum(u.cost_usd) FILTER (WHERE u.state = 'settled') AS known_usd,
           sum(u.reserved_usd) FILTER (WHERE u.state <> 'settled') AS held_usd,
           sum(u.uncached_tokens) FILTER (WHERE u.state = 'settled') AS uncached_tokens,
           sum(u.cache_read_tokens) FILTER (WHERE u.state = 'settled') AS cache_read_tokens,
           sum(u.cache_write_5m_tokens) FILTER (WHERE u.state = 'settled') AS cache_write_5m_tokens,
           sum(u.cache_write_1h_tokens) FILTER (WHERE u.state = 'settled') AS cache_write_1h_tokens,
           sum(u.output_tokens) FILTER (WHERE u.state = 'settled') AS output_tokens
      FROM usage AS u JOIN r ON r.id = u.run_id WHERE u.state <> 'released' GROUP BY r.episode
), became AS (
    SELECT r.episode, max(o.merged_at) AS merged_at, min(o.first_review_at) AS first_review_at,
           sum(o.people_commits) AS people_commits
      FROM outcomes AS o JOIN r ON r.id = o.run_id GROUP BY r.episode
), opened AS (
    SELECT r.episode, count(*) AS merge_requests, count(*) FILTER (WHERE m.state = 'merged') AS merged
      FROM merge_requests AS m JOIN r ON r.id = m.run_id GROUP BY r.episode
), attempts AS (
    SELECT r.episode, count(*) AS iterations FROM iterations AS i JOIN r ON r.id = i.run_id
     WHERE i.kind = 'fix' GROUP BY r.episode
), helped AS (
    SELECT r.episode, count(*) AS interventions FROM interventions AS v JOIN r ON r.id = v.run_id GROUP BY r.episode
), began AS (
    SELECT r.episode, min(j.started_at) AS implementation_at FROM jobs AS j JOIN r ON r.id = j.run_id
     WHERE j.phase = 'implementation' GROUP BY r.episode
)
INSERT INTO run_facts (
    episode, issue_key, runs, last_run, status, reason_code, confidential,
    product_version, prompts_sha256, templates_sha256, catalogue_sha256,
    labelled_at, implementation_at, finished_at, merged_at, first_review_at,
    iterations, interventions, merge_requests, merged, people_commits,
    calls, unpriced_calls, known_usd, held_usd,
    uncached_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens,
    busy_s, updated_at)
SELECT episode, last.issue_key, whole.runs, last.id, last.status, last.reason_code, whole.confidential,
       last.product_version, last.prompts_sha256, last.templates_sha256, last.catalogue_sha256,
       whole.labelled_at, implementation_at, last.finished_at, became.merged_at, first_review_at,
       coalesce(iterations, 0), coalesce(interventions, 0), coalesce(merge_requests, 0), coalesce(opened.merged, 0),
       coalesce(people_commits, 0), coalesce(calls, 0), coalesce(unpriced_calls, 0), coalesce(known_usd, 0),
       coalesce(held_usd, 0), coalesce(uncached_tokens, 0), coalesce(cache_read_tokens, 0),
       coalesce(cache_write_5m_tokens, 0), coalesce(cache_write_1h_tokens, 0), coalesce(output_tokens, 0),
       coalesce(busy_s, 0), now()
  FROM last JOIN whole USING (episode)
  LEFT JOIN busy USING (episode) LEFT JOIN spent USING (episode) LEFT JOIN became USING (episode)
  LEFT JOIN opened USING (episode) LEFT JOIN attempts USING (episode) LEFT JOIN helped USING (episode)
  LEFT JOIN began USING (episode)
"""


def upgrade() -> None:
    _columns()
    _tables()
    op.execute(RESERVE)
    op.execute(EPISODES)
    op.execute(OUTCOMES)
    op.execute(FACTS)


def _columns() -> None:
    for name in ("product_version", "prompts_sha256", "templates_sha256", "episode"):
        op.add_column("runs", sa.Column(name, sa.Text(), nullable=True))
    op.create_index("ix_runs_episode", "runs", ["episode"])
    op.add_column("usage", sa.Column("owner", sa.Text(), nullable=False, server_default="run"))
    op.add_column("usage", sa.Column("prompt_version", sa.Text(), nullable=True))
    op.add_column("usage", sa.Column("prefix_sha256", sa.Text(), nullable=True))
    op.add_column("usage", sa.Column("is_first", sa.Boolean(), nullable=True))
    op.add_column("usage", sa.Column("prefix_tokens", sa.BigInteger(), nullable=True))
    op.alter_column("usage", "run_id", nullable=True)
    op.alter_column("usage", "job_id", nullable=True)
    op.create_check_constraint("owner", "usage", "owner = 'product' OR (owner = 'run' AND run_id IS NOT NULL)")


def _tables() -> None:
    text, moment, number, money = sa.Text(), sa.DateTime(timezone=True), sa.BigInteger(), sa.Numeric(18, 10)
    run = ("runs.id",)
    op.create_table(
        "run_facts",
        sa.Column("episode", text, sa.ForeignKey(*run), primary_key=True),
        sa.Column("issue_key", text, nullable=False),
        sa.Column("runs", number, nullable=False),
        sa.Column("last_run", text, sa.ForeignKey(*run), nullable=False),
        sa.Column("status", text, nullable=False),
        sa.Column("reason_code", text),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        *(sa.Column(name, text) for name in ("product_version", "prompts_sha256")),
        *(sa.Column(name, text) for name in ("templates_sha256", "catalogue_sha256")),
        sa.Column("labelled_at", moment, nullable=False),
        *(sa.Column(f"{name}_at", moment) for name in ("implementation", "finished", "merged", "first_review")),
        *(sa.Column(name, number, nullable=False) for name in ("iterations", "interventions")),
        *(sa.Column(name, number, nullable=False) for name in ("merge_requests", "merged", "people_commits")),
        *(sa.Column(name, number, nullable=False) for name in ("calls", "unpriced_calls")),
        *(sa.Column(name, money, nullable=False) for name in ("known_usd", "held_usd")),
        *(sa.Column(f"{name}_tokens", number, nullable=False) for name in ("uncached", "cache_read")),
        *(sa.Column(f"cache_write_{name}_tokens", number, nullable=False) for name in ("5m", "1h")),
        sa.Column("output_tokens", number, nullable=False),
        sa.Column("busy_s", sa.Float(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
    )
    op.create_index("ix_run_facts_finished_at", "run_facts", ["finished_at"])
    op.create_index("ix_run_facts_updated_at", "run_facts", ["updated_at"])
    op.create_table(
        "outcomes",
        sa.Column("run_id", text, sa.ForeignKey(*run), primary_key=True),
        sa.Column("repository", text, primary_key=True),
        *(sa.Column(name, moment) for name in ("first_review_at", "merged_at")),
        sa.Column("people_commits", number, nullable=False, server_default="0"),
        *(sa.Column(name, moment) for name in ("reverted_at", "reopened_at")),
    )
    op.create_table(
        "run_levers",
        sa.Column("run_id", text, sa.ForeignKey(*run), primary_key=True),
        sa.Column("lever", text, primary_key=True),
        *(sa.Column(name, text, nullable=False) for name in ("arm", "why")),
        sa.Column("at", moment, nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("id", number, sa.Identity(always=True), primary_key=True),
        sa.Column("run_id", text, sa.ForeignKey(*run), nullable=False),
        *(sa.Column(name, text, nullable=False) for name in ("target", "actor", "verdict")),
        sa.Column("reason", text, nullable=False, server_default=""),
        sa.Column("at", moment, nullable=False),
        sa.UniqueConstraint("run_id", "target", "actor"),
        sa.CheckConstraint("verdict IN ('up', 'down', 'dismissed')", name="verdict"),
    )
