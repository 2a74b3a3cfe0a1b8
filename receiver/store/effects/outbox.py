"""The outbox: effects stored with the decision that wants them, performed later, at least once, each under its key."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver import limits
from receiver.store.postgres.queue import PERFORM_EFFECT, enqueue_effect
from receiver.store.schema import EffectRow, Json
from receiver.workflow.effects import (
    AdmitTicket,
    AnswerComment,
    AskReporter,
    AttachEvidence,
    CancelPipeline,
    CommentRefusal,
    Effect,
    LinkTicket,
    NeutraliseMergeRequest,
    OpenMergeRequest,
    PollGitLab,
    PollTicket,
    PostPlan,
    ReadComment,
    RefreshTicket,
    SettleReports,
    StartPipeline,
    StartTargetPipeline,
    TransitionIssue,
    UpdateMergeRequestNote,
    UpdateTicketNote,
)

GROUPS: dict[type[Effect], str | None] = {
    AdmitTicket: "start",
    RefreshTicket: "start",
    StartPipeline: "start",
    ReadComment: "comment",
    PollTicket: "comment",
    CancelPipeline: None,
    SettleReports: "settle",
    PollGitLab: "poll",
    OpenMergeRequest: "merge_request",
    NeutraliseMergeRequest: "merge_request",
    StartTargetPipeline: "merge_request",
    UpdateMergeRequestNote: "merge_request_note",
    AttachEvidence: "attachments",
    UpdateTicketNote: "ticket",
    CommentRefusal: "ticket",
    AskReporter: "ticket",
    PostPlan: "ticket",
    AnswerComment: "ticket",
    TransitionIssue: "transition",
    LinkTicket: "link",
}
"""Effects of one run and group are performed one after the other; None waits for nobody.

Groups keep systems apart: Jira being down holds back of GitLab only what tells of the run (`restriction.TELLING`).
Cancelling has no group, so nothing delays it.
"""

ONCE: dict[type[Effect], tuple[str, ...]] = {
    AdmitTicket: (),
    StartPipeline: ("iteration",),
    OpenMergeRequest: ("iteration", "repository"),
    AttachEvidence: ("iteration", "repository"),
    StartTargetPipeline: ("iteration", "repository", "head_sha", "approved_by"),
    AskReporter: ("iteration",),
    AnswerComment: ("comment",),
}
"""Effects that a run wants at most once for these fields, whatever decides it again."""

LATEST: frozenset[type[Effect]] = frozenset(
    {NeutraliseMergeRequest, UpdateTicketNote, UpdateMergeRequestNote, PostPlan, PollGitLab, PollTicket, SettleReports}
)
"""Effects that make something equal to the newest state: of several pending ones, the last is enough."""


class Pending(Struct, frozen=True, kw_only=True):
    """An effect to perform."""

    id: int
    run: RunId
    effect: Effect
    attempts: int
    first_attempt_at: datetime
    due_at: datetime
    superseded: bool
    """A newer pending one does the same."""


def kind_of(effect: Effect) -> str:
    """Return the effect's kind, as stored and shown."""
    return type(effect).__name__


def group_of(run: str, effect: Effect) -> str | None:
    """Return the queue lock of an effect."""
    group = GROUPS[type(effect)]
    target = getattr(effect, "repository", "")
    return None if group is None else f"effect:{run}:{group}:{target}"


async def store(
    session: AsyncSession, run: RunId, effects: tuple[Effect, ...], *, decision: int | None, origin: str, now: datetime
) -> list[int]:
    """Store effects and enqueue them, in the caller's transaction. Returns the ids of those that are new.

    `origin` tells apart what wants them: `decision:17`, `sweep:…`.
    """
    stored = []
    for position, effect in enumerate(effects):
        once = ONCE.get(type(effect))
        suffix = f"{origin}:{position}" if once is None else ":".join(str(getattr(effect, name)) for name in once)
        payload = msgspec.to_builtins(effect)
        row = insert(EffectRow).values(
            key=f"{run}:{kind_of(effect)}:{suffix}",
            run_id=run,
            decision_id=decision,
            kind=kind_of(effect),
            payload=payload,
            state="pending",
            created_at=now,
            due_at=now,
        )
        new = await session.scalar(row.on_conflict_do_nothing().returning(EffectRow.id))
        if new is not None:
            await enqueue_effect(session, new, group=group_of(run, effect))
            stored.append(new)
    return stored


async def claim(session: AsyncSession, effect: int, *, now: datetime, counts: bool = True) -> Pending | None:
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
    wanted = _effect(row.payload)
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
        superseded=type(wanted) in LATEST and await session.scalar(newer.limit(1)) is not None,
    )


async def finish(
    session: AsyncSession,
    effect: int,
    *,
    state: str,
    now: datetime,
    result: Json | None = None,
    error: str | None = None,
) -> bool:
    """Note how an effect ended; False when somebody else did so before."""
    ended = (
        update(EffectRow)
        .where(EffectRow.id == effect, EffectRow.state == "pending")
        .values(state=state, performed_at=now, result=result, last_error=error)
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
    await enqueue_effect(session, pending.id, group=group_of(pending.run, pending.effect), at=at)


async def orphans(session: AsyncSession, *, now: datetime) -> list[tuple[int, str | None]]:
    """Return pending effects that nothing in the queue stands for, with their groups."""
    queued = text(
        "NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE task_name = :task AND status IN ('todo', 'doing')"
        " AND (args->>'effect_id')::bigint = effects.id)"
    ).bindparams(task=PERFORM_EFFECT)
    rows = await session.scalars(
        select(EffectRow).where(EffectRow.state == "pending", EffectRow.due_at <= now, queued).order_by(EffectRow.id)
    )
    return [(row.id, group_of(row.run_id, _effect(row.payload))) for row in rows]


def _effect(payload: Json) -> Effect:
    effect: Effect = msgspec.convert(payload, Effect)
    return effect
