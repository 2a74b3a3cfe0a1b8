"""The row of an episode equals what the rows say: after generated histories, after events, and after the migration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from itertools import chain, count
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.resources import MIGRATIONS
from receiver.release import Release
from receiver.store.postgres.database import Database
from receiver.store.run import episodes
from receiver.store.schema import (
    Base,
    DecisionRow,
    EffectRow,
    EpisodeRow,
    InterventionRow,
    IterationRow,
    JobRow,
    MergeRequestEventRow,
    MergeRequestRow,
    OutcomeRow,
    PipelineRow,
    RunRow,
    UsageRow,
)
from receiver.worker.event_handler import Setting
from receiver.workflow.run import Verdict
from tests.receiver.workflow.conftest import World
from tests.told_run import RUN, ToldRun, opening, running

pytestmark = [pytest.mark.integration, pytest.mark.anyio]

START = datetime(2026, 11, 1, tzinfo=UTC)
TOKENS = ("uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")
COMPARED = [one.key for one in EpisodeRow.__table__.columns if one.key not in {"updated_at", "busy_s"}]


# What the rows say, by other means than the statement's.


class Known(Struct, kw_only=True):
    """All rows of an episode's runs."""

    runs: list[RunRow]
    rows: list[Base]

    def of(self, kind: type[Any], /, **values: object) -> list[Any]:
        """Return the rows of a kind with these values."""
        found = (row for row in self.rows if isinstance(row, kind))
        return [row for row in found if all(getattr(row, name) == value for name, value in values.items())]


async def known(session: AsyncSession, episode: str) -> Known:
    """Read the runs of an episode, and all that belongs to them."""
    everyone = list(await session.scalars(select(RunRow)))
    runs = [run for run in everyone if (run.episode or run.id) == episode and run.status not in episodes.OUTSIDE]
    ids = {run.id for run in runs}
    rows: list[Base] = []
    for kind in (IterationRow, JobRow, EffectRow, MergeRequestRow, InterventionRow, UsageRow, DecisionRow):
        rows += [row for row in await session.scalars(select(kind)) if row.run_id in ids]  # type: ignore[attr-defined]  # each has it
    requests = {row.id for row in rows if isinstance(row, MergeRequestRow)}
    rows += [one for one in await session.scalars(select(MergeRequestEventRow)) if one.merge_request_id in requests]
    return Known(runs=sorted(runs, key=lambda run: (run.created_at, run.id)), rows=rows)


def told_by(rows: Known, episode: str) -> dict[str, object]:
    """Return what the row of an episode has to say."""
    last, requests = rows.runs[-1], rows.of(MergeRequestRow)
    billed = [call for call in rows.of(UsageRow) if call.state != "released"]
    settled = [call for call in billed if call.state == "settled"]
    priced = [call.cost_usd for call in settled if call.cost_usd is not None]
    unpriced = [call for call in billed if call.state != "settled" or call.cost_usd is None]
    commits = {(one.run_id, one.actor, one.at) for one in rows.of(InterventionRow, kind="commit")}
    return {
        "episode": episode,
        "issue_key": last.issue_key,
        "runs": len(rows.runs),
        "last_run": last.id,
        "confidential": any(run.confidential for run in rows.runs),
        "labelled_at": min(run.labelled_at for run in rows.runs),
        "implementation_at": min((job.started_at for job in rows.of(JobRow, phase="implementation")), default=None),
        "merged_at": max((one.merged_at for one in requests if one.merged_at), default=None),
        "first_review_at": min((at for one in requests for at in _reviews(rows, one)), default=None),
        "iterations": len(rows.of(IterationRow, kind="fix")),
        "interventions": len(rows.of(InterventionRow)),
        "merge_requests": len(requests),
        "merged": len([one for one in requests if one.state == "merged"]),
        "people_commits": sum(
            (one.run_id, event.actor, event.at) in commits
            for one in requests
            for event in rows.of(MergeRequestEventRow, merge_request_id=one.id, action="commit")
        ),
        "calls": len(billed),
        "unpriced_calls": len(unpriced),
        "known_usd": sum(priced, Decimal(0)),
        "held_usd": sum((call.reserved_usd for call in unpriced), Decimal(0)),
        **{name: sum(getattr(call, name) or 0 for call in settled) for name in TOKENS},
        **{name: getattr(last, name) for name in ("status", "reason_code", "finished_at", "catalogue_sha256")},
        **{name: getattr(last, name) for name in ("product_version", "prompts_sha256", "templates_sha256")},
    }


def _reviews(rows: Known, request: MergeRequestRow) -> list[datetime]:
    approvals = rows.of(MergeRequestEventRow, merge_request_id=request.id)
    notes = rows.of(DecisionRow, run_id=request.run_id, event_kind="NotePosted")
    this = {"project_id": request.project_id, "iid": request.iid}
    return [one.at for one in approvals if one.action in {"approved", "approval"}] + [
        one.at for one in notes if {name: one.event.get(name) for name in this} == this
    ]


def busy(rows: Known) -> float:
    """Return the seconds that spans cover, second by second."""
    jobs = ((job.started_at - timedelta(seconds=job.queued_s or 0), job.finished_at) for job in rows.of(JobRow))
    spans = [(begin, end) for begin, end in jobs if end is not None]
    spans += [(one.created_at, one.performed_at) for one in rows.of(EffectRow) if one.performed_at]
    total, until = timedelta(0), datetime.min.replace(tzinfo=UTC)
    for begin, end in sorted(spans):
        if end > max(begin, until):
            total += end - max(begin, until)
            until = end
    return total.total_seconds()


async def agrees(session: AsyncSession, episode: str) -> bool:
    """Compare an episode's row with its rows; return whether there is one."""
    session.expire_all()
    row, rows = await session.get(EpisodeRow, episode), await known(session, episode)
    assert (row is None) == (not rows.runs)
    if row is None:
        return False
    assert {name: getattr(row, name) for name in COMPARED} == told_by(rows, episode)
    assert row.busy_s == pytest.approx(busy(rows), abs=0.001)
    return True


# Histories.

moments = st.integers(0, 60 * 24 * 40).map(lambda minutes: START + timedelta(minutes=minutes))
small = st.integers(0, 5_000)
some: dict[str, Any] = {"max_size": 2}
times = st.tuples(moments, st.integers(0, 300)).map(lambda two: (two[0], two[0] + timedelta(seconds=two[1])))
runs = st.fixed_dictionaries(
    {
        "issue_key": st.sampled_from(["PL-1", "PL-2"]),
        "status": st.sampled_from(["admitting", "refused", "running", "in_review", "merged", "failed", "escalated"]),
        "at": times,
        "confidential": st.booleans(),
        "iterations": st.lists(st.sampled_from(["fix", "analysis", "infrastructure"]), **some),
        "jobs": st.lists(
            st.tuples(times, st.sampled_from(["implementation", "testing"]), st.none() | st.just(30)), **some
        ),
        "effects": st.lists(st.tuples(times, st.booleans()), **some),
        "requests": st.lists(st.tuples(st.sampled_from(["opened", "merged", "closed"]), moments), max_size=2),
        "events": st.lists(
            st.tuples(st.sampled_from(["approved", "unapproved", "commit"]), moments, st.booleans()), **some
        ),
        "notes": st.lists(moments, max_size=2),
        "helped": st.lists(moments, max_size=2),
        "calls": st.lists(
            st.tuples(st.sampled_from(["reserved", "settled", "unknown", "released"]), st.none() | small, small), **some
        ),
    }
)


async def lay(session: AsyncSession, drawn: Sequence[dict[str, Any]]) -> None:
    """Store a history, as decisions and the ledger would have left it."""
    numbers = count(1)
    active: set[str] = set()
    for one in sorted(drawn, key=lambda run: run["at"]):
        begun, ended = one["at"]
        run, is_active = f"{next(numbers):016x}", one["status"] in {"admitting", "running", "in_review"}
        if is_active and one["issue_key"] in active:
            continue
        active |= {one["issue_key"]} if is_active else set()
        row = RunRow(id=run, issue_key=one["issue_key"], status=one["status"], repositories=[])
        row.labelled_at, row.created_at, row.status_at, row.confidential = begun, begun, ended, one["confidential"]
        row.finished_at = None if is_active else ended
        session.add(row)
        await session.flush()
        await episodes.begin(session, row, release=Release(version="1", prompts_sha256=run, templates_sha256="t"))
        await _lay_rows(session, one, run, numbers)
    await session.flush()


async def _lay_rows(session: AsyncSession, one: dict[str, Any], run: str, numbers: Iterator[int]) -> None:
    at, pipeline = one["at"][1], next(numbers)
    own: dict[str, Any] = {"run_id": run, "iteration": 1}
    session.add(PipelineRow(id=pipeline, project_id=1, status="success", url="", seen_at=at, **own))
    await session.flush()
    for number, kind in enumerate(one["iterations"]):
        session.add(IterationRow(run_id=run, number=number, kind=kind, started_at=at))
    for (begin, end), phase, queued in one["jobs"]:
        job = JobRow(id=next(numbers), pipeline_id=pipeline, project_id=1, name="x", stage="s", status="success", **own)
        job.phase, job.queued_s, job.started_at, job.finished_at, job.seen_at = phase, queued, begin, end, end
        session.add(job)
    for (begin, end), is_done in one["effects"]:
        effect = EffectRow(key=f"k{next(numbers)}", run_id=run, kind="X", payload={}, created_at=begin, due_at=begin)
        effect.performed_at = end if is_done else None
        session.add(effect)
    for moment in one["notes"]:
        event = {"project_id": 0, "iid": 1}
        session.add(DecisionRow(run_id=run, event_kind="NotePosted", event=event, verdict="", reason="", at=moment))
    for moment in one["helped"]:
        session.add(InterventionRow(run_id=run, kind="escalation", actor="", detail="", at=moment))
    for call in one["calls"]:
        session.add(_call(f"c{next(numbers)}", run, at, *call))
    await _lay_requests(session, one, run)


async def _lay_requests(session: AsyncSession, one: dict[str, Any], run: str) -> None:
    empty = {"url": "", "source_branch": "b", "head_sha": "", "seen_head_sha": ""}
    for place, (state, at) in enumerate(one["requests"]):
        request = MergeRequestRow(run_id=run, repository=f"r{place}", project_id=place, iid=1, opened_at=at, **empty)
        request.state, request.merged_at = state, at if state == "merged" else None
        session.add(request)
        await session.flush()
        for action, moment, is_person in one["events"]:
            event = {"merge_request_id": request.id, "action": action, "actor": "p", "head_sha": "", "at": moment}
            session.add(MergeRequestEventRow(**event))
            if action == "commit" and is_person:
                session.add(InterventionRow(run_id=run, kind="commit", actor="p", detail="", at=moment))


def _call(
    call: str, run: str, at: datetime, state: str = "reserved", cents: int | None = None, tokens: int = 700
) -> UsageRow:
    row = UsageRow(call_id=call, run_id=run, iteration=1, phase="analysis", purpose="work", model="m", state=state)
    row.reserved_usd, row.reserved_at = Decimal(tokens) / 700, at
    if state == "settled":
        row.cost_usd = None if cents is None else Decimal(cents) / 100
        for name in TOKENS:
            setattr(row, name, tokens)
    return row


async def all_episodes(session: AsyncSession) -> set[str]:
    return {row.episode or row.id for row in await session.scalars(select(RunRow))}


@settings(
    max_examples=max(20, settings().max_examples // 4),  # each is a whole history in the store
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(drawn=st.lists(runs, max_size=4))
async def test_the_row_of_an_episode_is_what_its_rows_say_whoever_writes_it(
    database: Database, drawn: list[dict[str, Any]]
) -> None:
    async with database.begin() as session:
        await lay(session, drawn)
        for episode in await all_episodes(session):
            await episodes.write(session, episode, now=START)
        told = {episode for episode in await all_episodes(session) if await agrees(session, episode)}
        await _migrate_again(session)
        # a run that was refused is in no episode, whatever its column says
        assert {episode for episode in await all_episodes(session) if await agrees(session, episode)} == told
        await session.rollback()


async def _migrate_again(session: AsyncSession) -> None:
    """Fill in episodes, outcomes and rows as the migrations do for runs that exist."""
    figures, held = _migration("figures"), _migration("held_for_unpriced_calls")
    for table in (EpisodeRow, OutcomeRow):
        await session.execute(delete(table))
    await session.execute(text("UPDATE runs SET episode = NULL"))
    for statement in (figures.EPISODES, figures.OUTCOMES, figures.FACTS, held.HELD):
        await session.execute(text(statement))


def _migration(name: str) -> ModuleType:
    spec = spec_from_file_location(name, next((MIGRATIONS / "versions").glob(f"*_{name}.py")))
    assert spec is not None
    assert spec.loader is not None
    migration = module_from_spec(spec)
    spec.loader.exec_module(migration)
    return migration


# Through events.


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def told(database: Database, world: World) -> AsyncIterator[ToldRun]:
    ids = chain([RUN], (f"{n:016x}" for n in count()))
    setting = Setting(
        catalogue=world.catalogue,
        clock=lambda: world.now,
        new_run=lambda: next(ids),  # type: ignore[arg-type, return-value]  # ids are strings
        bot=7,
        release=Release(version="0.9", prompts_sha256="p", templates_sha256="t"),
    )
    async with database.begin() as session:
        yield ToldRun(session, setting)
        await session.rollback()


async def test_the_row_is_current_after_each_decision_that_acts_and_after_each_sweep(
    told: ToldRun, world: World
) -> None:
    await told.tell(world.labelled())
    assert not await agrees(told.session, RUN)
    for event in (*running(world)[1:], *opening(world), world.opened(), world.merge_request("merge", "merged")):
        world.now += timedelta(seconds=1)
        (decision,) = await told.tell(event)
        if decision.verdict is not Verdict.ACTED:
            await episodes.refresh(told.session, now=world.now)
        assert await agrees(told.session, RUN)
    row = await told.session.get_one(EpisodeRow, RUN)
    assert (row.status, row.merged, row.iterations, row.product_version) == ("merged", 1, 1, "0.9")
    outcome = await told.session.get_one(OutcomeRow, (RUN, world.repository))
    assert (outcome.merged_at, outcome.reverted_at) == (row.merged_at, None)


@pytest.mark.parametrize(("days", "runs_of_it"), [(13, 2), (15, 1)])
async def test_a_restart_within_14_days_is_of_the_same_episode(
    told: ToldRun, world: World, days: int, runs_of_it: int
) -> None:
    await told.tell(*running(world), world.pipeline("canceled"), world.settled())
    assert (await told.view()).status in {"cancelled", "failed", "escalated"}
    first = await told.session.get_one(RunRow, RUN)
    first.created_at = first.finished_at = world.now - timedelta(days=days)
    (decision,) = await told.tell(world.labelled())
    assert decision.new_run is not None
    await told.tell(world.admitted(), run=decision.new_run)
    second = await told.session.get_one(RunRow, decision.new_run)
    assert second.episode == (RUN if runs_of_it == 2 else second.id)
    row = await told.session.get_one(EpisodeRow, second.episode)
    assert (row.runs, row.last_run) == (runs_of_it, second.id)
    assert await agrees(told.session, second.episode)


async def test_what_is_settled_after_the_last_decision_is_told_by_the_sweep(told: ToldRun, world: World) -> None:
    await told.tell(*running(world))
    call = _call("c", RUN, world.now)
    told.session.add(call)
    await told.tell(world.pipeline("running"))
    await episodes.refresh(told.session, now=world.now + timedelta(seconds=1))
    assert (await told.session.get_one(EpisodeRow, RUN)).held_usd == 1
    call.state, call.cost_usd, call.settled_at = "settled", Decimal("0.5"), world.now + timedelta(seconds=5)
    await told.session.flush()
    await episodes.refresh(told.session, now=world.now + timedelta(minutes=1))
    assert await agrees(told.session, RUN)
    assert (await told.session.get_one(EpisodeRow, RUN)).known_usd == Decimal("0.5")
