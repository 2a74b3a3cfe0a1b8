"""The outbox: effects stored with the decision that wants them, performed later, at least once, each under its key."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from sqlalchemy import and_, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver import limits
from receiver.store.postgres.queue import PERFORM_EFFECT, enqueue_effect
from receiver.store.schema import EffectRow, Json, RunRow
from receiver.workflow.effect_table import EFFECTS, EffectRule, EffectTable
from receiver.workflow.effects import Effect
from receiver.workflow.run import RunStatus


class Pending(Struct, frozen=True, kw_only=True):
    """An effect to perform."""

    id: int
    run: RunId
    effect: Effect
    attempts: int
    first_attempt_at: datetime
    due_at: datetime
    superseded: bool
    """A newer pending one does the same, or the run has left the status in which it was wanted."""
    rule: EffectRule

    @property
    def group(self) -> str | None:
        """Return the queue lock."""
        return _group(self.rule, self.run, self.effect)


def group_of(run: str, effect: Effect, *, table: EffectTable = EFFECTS) -> str | None:
    """Return the queue lock of an effect."""
    return _group(table.of(effect), run, effect)


def _group(rule: EffectRule, run: str, effect: Effect) -> str | None:
    target = getattr(effect, "repository", "")
    return None if rule.group is None or _is_urgent(rule, effect) else f"effect:{run}:{rule.group}:{target}"


def _is_urgent(rule: EffectRule, effect: Effect) -> bool:
    """Return whether an effect waits for nothing that is queued."""
    return rule.is_urgent or getattr(effect, "overtakes", False)


async def store(
    session: AsyncSession,
    run: RunId,
    effects: tuple[Effect, ...],
    *,
    decision: int | None,
    origin: str,
    now: datetime,
    table: EffectTable = EFFECTS,
    again_after: timedelta | None = None,
) -> list[int]:
    """Store effects and enqueue them, in the caller's transaction. Returns the ids of those that are new.

    `origin` distinguishes what wants them: `decision:17`, `sweep:…`. One that was given up so long ago as `again_after`
    is new again.
    """
    stored = []
    for position, effect in enumerate(effects):
        rule = table.of(effect)
        fields, due_at = rule.once, now + timedelta(seconds=getattr(effect, "due_in_s", 0))
        suffix = f"{origin}:{position}" if fields is None else ":".join(str(getattr(effect, name)) for name in fields)
        row = insert(EffectRow).values(
            key=f"{run}:{rule.kind}:{suffix}",
            run_id=run,
            decision_id=decision,
            kind=rule.kind,
            payload=msgspec.to_builtins(effect),
            state="pending",
            created_at=now,
            due_at=due_at,
        )
        kept = row.on_conflict_do_nothing()
        if again_after is not None:
            anew = {"state": "pending", "attempts": 0, "first_attempt_at": None, "due_at": now}
            is_over = and_(EffectRow.state == "given_up", EffectRow.performed_at < now - again_after)
            kept = row.on_conflict_do_update(index_elements=[EffectRow.key], set_=anew, where=is_over)
        new = await session.scalar(kept.returning(EffectRow.id))
        if new is not None:
            group = _group(rule, run, effect)
            at = due_at if due_at > now else None
            await enqueue_effect(session, new, group=group, at=at, is_urgent=_is_urgent(rule, effect))
            stored.append(new)
    return stored


async def claim(
    session: AsyncSession, effect: int, *, now: datetime, counts: bool = True, table: EffectTable = EFFECTS
) -> Pending | None:
    """Return an effect and note the attempt, if it `counts`; None when there is nothing left to do."""
    counted = (
        update(EffectRow)
        .where(EffectRow.id == effect, EffectRow.state == "pending")
        .values(
            attempts=EffectRow.attempts + int(counts),
            first_attempt_at=func.coalesce(EffectRow.first_attempt_at, now),
        )
        .returning(EffectRow)
    )
    row = (await session.execute(counted)).scalar_one_or_none()
    if row is None:
        return None
    wanted = table.decode(row.kind, row.payload)
    rule = table.of(wanted)
    newer = select(EffectRow.id).where(
        EffectRow.run_id == row.run_id,
        EffectRow.kind == row.kind,
        EffectRow.payload == row.payload,
        EffectRow.state == "pending",
        EffectRow.id > row.id,
    )
    return Pending(
        id=row.id,
        run=RunId(row.run_id),
        effect=wanted,
        attempts=row.attempts,
        first_attempt_at=row.first_attempt_at or now,
        due_at=row.due_at,
        superseded=(rule.only_latest and await session.scalar(newer.limit(1)) is not None)
        or not await _is_wanted(session, row.run_id, wanted, rule),
        rule=rule,
    )


async def _is_wanted(session: AsyncSession, run: str, effect: Effect, rule: EffectRule) -> bool:
    """Return whether the run is still in a status, and in the iteration, in which an effect is to be done."""
    if rule.wanted_in == frozenset(RunStatus):
        return True
    row = (await session.execute(select(RunRow.status, RunRow.iteration).where(RunRow.id == run))).one()
    return row.status in rule.wanted_in and getattr(effect, "iteration", row.iteration) == row.iteration


async def finish(
    session: AsyncSession,
    effect: int,
    *,
    state: str,
    now: datetime,
    result: Json | None = None,
    remark: str = "",
    error: str | None = None,
) -> bool:
    """Note how an effect ended; False when somebody else did so before."""
    ended = (
        update(EffectRow)
        .where(EffectRow.id == effect, EffectRow.state == "pending")
        .values(state=state, performed_at=now, result=result, remark=remark, last_error=error)
        .returning(EffectRow.id)
    )
    return (await session.execute(ended)).scalar_one_or_none() is not None


def wait(attempts: int, *, seed: int, retry_after: timedelta | None) -> timedelta:
    """Return how long to wait before the next attempt: doubling, spread by `seed`, or what the vendor asks for."""
    if retry_after is not None:
        return min(retry_after, limits.EFFECT_RETRY_AFTER)
    doubled: int = 1 << min(attempts - 1, 10)
    spread = int(hashlib.sha256(f"{seed}:{attempts}".encode()).hexdigest()[:4], 16) / 0xFFFF
    return min(limits.EFFECT_FIRST_WAIT * doubled, limits.EFFECT_LONGEST_WAIT) * (0.5 + 0.5 * spread)


async def again(session: AsyncSession, pending: Pending, *, error: str, at: datetime) -> None:
    """Note a failed attempt and enqueue the next one."""
    noted = update(EffectRow).where(EffectRow.id == pending.id, EffectRow.state == "pending")
    await session.execute(noted.values(last_error=error, due_at=at))
    is_urgent = _is_urgent(pending.rule, pending.effect)
    await enqueue_effect(session, pending.id, group=pending.group, at=at, is_urgent=is_urgent)


async def orphans(
    session: AsyncSession, *, now: datetime, table: EffectTable = EFFECTS
) -> list[tuple[int, str | None]]:
    """Return pending effects that nothing in the queue stands for, with their groups."""
    queued = text(
        "NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE task_name = :task AND status IN ('todo', 'doing')"
        " AND (args->>'effect_id')::bigint = effects.id)"
    ).bindparams(task=PERFORM_EFFECT)
    rows = await session.scalars(
        select(EffectRow).where(EffectRow.state == "pending", EffectRow.due_at <= now, queued).order_by(EffectRow.id)
    )
    return [(row.id, group_of(row.run_id, table.decode(row.kind, row.payload), table=table)) for row in rows]
