"""Episodes: which runs of a ticket are one, and the row of each that figures read.

Everything in a row follows from other rows, so that figures read one table. It is written anew with each decision
that did something, and by the sweep after everything else: what was only noted, a settled call, a performed effect.
A run that was refused, or not admitted yet, is in no episode.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from receiver import limits
from receiver.release import Release
from receiver.store.postgres.database import lock
from receiver.store.schema import DecisionRow, EffectRow, EpisodeRow, RunRow, UsageRow
from receiver.workflow.run import RunStatus

OUTSIDE: Final = (RunStatus.ADMITTING, RunStatus.REFUSED)
"""Statuses of runs that are in no episode."""


async def begin(session: AsyncSession, row: RunRow, *, release: Release | None) -> None:
    """Let a new run be of the episode of the ticket's run before if that is young enough, else begin its own.

    The caller holds the ticket's lock. What is installed is kept with the run.
    """
    before = await session.scalar(
        select(RunRow)
        .where(RunRow.issue_key == row.issue_key, RunRow.status.not_in(OUTSIDE), RunRow.id != row.id)
        .order_by(RunRow.created_at.desc(), RunRow.id.desc())
        .limit(1)
    )
    is_restart = before is not None and row.created_at - (before.finished_at or before.status_at) <= limits.EPISODE
    row.episode = (before.episode or before.id) if before is not None and is_restart else row.id
    if release is not None:
        row.product_version = release.version
        row.prompts_sha256, row.templates_sha256 = release.prompts_sha256, release.templates_sha256
    await session.flush()


async def write(session: AsyncSession, episode: str, *, now: datetime) -> None:
    """Write the row of an episode, and the outcomes of its merge requests, from what its rows say."""
    # A late event of an older run of the episode is decided under that run's lock: one at a time here.
    await lock(session, f"episode:{episode}")
    await session.flush()
    await session.execute(_OUTCOMES, {"episode": episode})
    await session.execute(_FACTS, {"episode": episode, "now": now})


async def refresh(session: AsyncSession, *, now: datetime) -> None:
    """Write the rows anew of which something became known after they were written."""
    run, written = aliased(RunRow), EpisodeRow.updated_at - limits.EPISODE_OVERLAP
    of_it = func.coalesce(run.episode, run.id) == EpisodeRow.episode
    settled = exists().where(of_it, UsageRow.run_id == run.id, UsageRow.settled_at > written)
    performed = exists().where(of_it, EffectRow.run_id == run.id, EffectRow.performed_at > written)
    noted = exists().where(of_it, DecisionRow.run_id == run.id, DecisionRow.at > written)
    query = select(EpisodeRow.episode).where(written > now - limits.EPISODE_SETTLES, or_(settled, performed, noted))
    for episode in (await session.scalars(query.order_by(written).limit(_AT_ONCE))).all():
        await write(session, episode, now=now)


_AT_ONCE: Final = 100
"""Rows that one sweep writes at most."""


_OUTCOMES: Final = text("""
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
      FROM merge_requests AS m JOIN runs AS r ON r.id = m.run_id
     WHERE coalesce(r.episode, r.id) = :episode
        ON CONFLICT (run_id, repository) DO UPDATE
       SET first_review_at = excluded.first_review_at, merged_at = excluded.merged_at,
           people_commits = excluded.people_commits
""")

_FACTS: Final = text("""
    WITH r AS (
        SELECT * FROM runs WHERE coalesce(episode, id) = :episode AND status NOT IN ('admitting', 'refused')
    ), last AS (
        SELECT * FROM r ORDER BY created_at DESC, id DESC LIMIT 1
    ), spans AS (
        SELECT tstzrange(j.started_at - make_interval(secs => coalesce(j.queued_s, 0)), j.finished_at) AS span
          FROM jobs AS j JOIN r ON r.id = j.run_id
         WHERE j.finished_at > j.started_at - make_interval(secs => coalesce(j.queued_s, 0))
         UNION ALL
        SELECT tstzrange(e.created_at, e.performed_at)
          FROM effects AS e JOIN r ON r.id = e.run_id WHERE e.performed_at > e.created_at
    ), busy AS (
        SELECT unnest(range_agg(span)) AS span FROM spans
    ), billed AS (
        SELECT u.*, u.state = 'settled' AND u.cost_usd IS NOT NULL AS priced
          FROM usage AS u JOIN r ON r.id = u.run_id WHERE u.state <> 'released'
    ), spent AS (
        SELECT count(*) AS calls, count(*) FILTER (WHERE NOT priced) AS unpriced_calls,
               coalesce(sum(cost_usd) FILTER (WHERE priced), 0) AS known_usd,
               coalesce(sum(reserved_usd) FILTER (WHERE NOT priced), 0) AS held_usd,
               coalesce(sum(uncached_tokens) FILTER (WHERE state = 'settled'), 0) AS uncached_tokens,
               coalesce(sum(cache_read_tokens) FILTER (WHERE state = 'settled'), 0) AS cache_read_tokens,
               coalesce(sum(cache_write_5m_tokens) FILTER (WHERE state = 'settled'), 0) AS cache_write_5m_tokens,
               coalesce(sum(cache_write_1h_tokens) FILTER (WHERE state = 'settled'), 0) AS cache_write_1h_tokens,
               coalesce(sum(output_tokens) FILTER (WHERE state = 'settled'), 0) AS output_tokens
          FROM billed
    )
    INSERT INTO run_facts (
        episode, issue_key, runs, last_run, status, reason_code, confidential,
        product_version, prompts_sha256, templates_sha256, catalogue_sha256,
        labelled_at, implementation_at, finished_at, merged_at, first_review_at,
        iterations, interventions, merge_requests, merged, people_commits,
        calls, unpriced_calls, known_usd, held_usd,
        uncached_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens,
        busy_s, updated_at)
    SELECT :episode, last.issue_key, (SELECT count(*) FROM r), last.id, last.status, last.reason_code,
           (SELECT bool_or(confidential) FROM r),
           last.product_version, last.prompts_sha256, last.templates_sha256, last.catalogue_sha256,
           (SELECT min(labelled_at) FROM r),
           (SELECT min(j.started_at) FROM jobs AS j JOIN r ON r.id = j.run_id WHERE j.phase = 'implementation'),
           last.finished_at,
           (SELECT max(o.merged_at) FROM outcomes AS o JOIN r ON r.id = o.run_id),
           (SELECT min(o.first_review_at) FROM outcomes AS o JOIN r ON r.id = o.run_id),
           (SELECT count(*) FROM iterations AS i JOIN r ON r.id = i.run_id WHERE i.kind = 'fix'),
           (SELECT count(*) FROM interventions AS v JOIN r ON r.id = v.run_id),
           (SELECT count(*) FROM merge_requests AS m JOIN r ON r.id = m.run_id),
           (SELECT count(*) FROM merge_requests AS m JOIN r ON r.id = m.run_id WHERE m.state = 'merged'),
           (SELECT coalesce(sum(o.people_commits), 0) FROM outcomes AS o JOIN r ON r.id = o.run_id),
           spent.*,
           coalesce((SELECT sum(extract(epoch FROM upper(span) - lower(span))) FROM busy), 0),
           :now
      FROM last, spent
        ON CONFLICT (episode) DO UPDATE
       SET issue_key = excluded.issue_key, runs = excluded.runs, last_run = excluded.last_run,
           status = excluded.status, reason_code = excluded.reason_code, confidential = excluded.confidential,
           product_version = excluded.product_version, prompts_sha256 = excluded.prompts_sha256,
           templates_sha256 = excluded.templates_sha256, catalogue_sha256 = excluded.catalogue_sha256,
           labelled_at = excluded.labelled_at, implementation_at = excluded.implementation_at,
           finished_at = excluded.finished_at, merged_at = excluded.merged_at,
           first_review_at = excluded.first_review_at, iterations = excluded.iterations,
           interventions = excluded.interventions, merge_requests = excluded.merge_requests,
           merged = excluded.merged, people_commits = excluded.people_commits, calls = excluded.calls,
           unpriced_calls = excluded.unpriced_calls, known_usd = excluded.known_usd, held_usd = excluded.held_usd,
           uncached_tokens = excluded.uncached_tokens, cache_read_tokens = excluded.cache_read_tokens,
           cache_write_5m_tokens = excluded.cache_write_5m_tokens,
           cache_write_1h_tokens = excluded.cache_write_1h_tokens, output_tokens = excluded.output_tokens,
           busy_s = excluded.busy_s, updated_at = excluded.updated_at
""")
