"""Decisions: recorded with their reason, and the run changed accordingly, in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import DiagnosisKind, Phase, RunId
from receiver.store.effects import outbox
from receiver.store.money import funds
from receiver.store.postgres.json_text import storable
from receiver.store.run import episodes, given_commands, iterations
from receiver.store.schema import DecisionRow, DeliveryRow, InterventionRow, RunRow
from receiver.store.story import stored_indicators
from receiver.workflow import lifecycle
from receiver.workflow.commands import pauses
from receiver.workflow.effect_table import EFFECTS, EffectTable
from receiver.workflow.events.event import Event
from receiver.workflow.events.message_events import CommandTyped, CommentRead, NoteRead
from receiver.workflow.run import Cause, Decision, RunStatus, Verdict

_KEPT: Final = ("branch", "deadline", "extra_usd", "is_held")
"""What of a decision is kept with the run, by the same name, unless it is None."""


async def record(
    session: AsyncSession,
    event: Event,
    decision: Decision,
    run: RunRow,
    *,
    delivery: int | None,
    effect: int | None,
    now: datetime,
    table: EffectTable = EFFECTS,
) -> int:
    """Store a decision about a run held by the caller, change the run, store and enqueue the effects."""
    before = run.status
    if decision.attempt is not None and decision.attempt.number != run.iteration:
        await iterations.begin(session, run, decision.attempt, now=now)
    for name in _KEPT:
        if (value := getattr(decision, name)) is not None:
            setattr(run, name, value)
    await _ask(session, run, decision, now=now)
    if decision.status is not None and decision.status != before:
        await _enter(session, run, decision, now=now)
    row = DecisionRow(
        run_id=run.id,
        delivery_id=delivery,
        effect_id=effect,
        event_kind=type(event).__name__,
        event=storable(msgspec.to_builtins(event)),
        verdict=decision.verdict,
        reason=decision.reason,
        status_before=before,
        status_after=run.status,
        at=now,
    )
    session.add(row)
    await session.flush()
    origin = f"decision:{row.id}"
    wanted = decision.effects
    await outbox.store(session, RunId(run.id), wanted, decision=row.id, origin=origin, now=now, table=table)
    if decision.answered is not None and isinstance(event, CommentRead | NoteRead | CommandTyped):
        await given_commands.conclude(session, run, event.message, decision.answered)
        did = _intervention(decision)
        if did is not None and event.author is not None:
            kind, detail = did
            actor = storable(event.author.called)
            session.add(InterventionRow(run_id=run.id, kind=kind, actor=actor, detail=storable(detail), at=now))
    if run.status != before:
        await stored_indicators.keep(session, run, now=now)
    # What was only noted can wait for the sweep: most deliveries are, and the row costs as much as all else here.
    if run.status not in episodes.OUTSIDE and (run.status != before or decision.verdict is Verdict.ACTED):
        await episodes.write(session, run.episode or run.id, now=now)
    return row.id


def _intervention(decision: Decision) -> tuple[str, str] | None:
    """Return what a command made a person do for the run, kind and detail, as metrics count it; None: nothing."""
    if decision.extra_usd is not None:
        return "budget", f"to ${decision.extra_usd:.2f} more"
    hints = [one for one in decision.attempt.diagnoses if one.kind is DiagnosisKind.HINT] if decision.attempt else []
    if not hints or decision.attempt is None:
        return None
    kind = "revise" if decision.attempt.cause is Cause.REVISED else "retry_with_hint"
    return kind, " ".join(hints[0].messages)


async def _ask(session: AsyncSession, run: RunRow, decision: Decision, *, now: datetime) -> None:
    """Keep what people are asked instead of a model, and what the model would have cost."""
    if decision.asked is not None:
        run.asked, run.saved_usd = decision.asked, await funds.usual_cost(session, Phase.ANALYSIS, now=now)


async def _enter(session: AsyncSession, run: RunRow, decision: Decision, *, now: datetime) -> None:
    if decision.status is None:
        return
    before = run.status
    run.status, run.status_at, run.reason = decision.status, now, decision.reason
    run.reason_code = None if decision.end is None else decision.end.code
    diagnosis = None if decision.end is None else decision.end.diagnosis
    run.diagnosis = None if diagnosis is None else storable(msgspec.to_builtins(diagnosis))
    run.deadline = decision.deadline
    run.finished_at = now if decision.status in lifecycle.FINAL else None
    if decision.status in lifecycle.FINAL:
        await iterations.end(session, run, now=now)
    run.paused_from = before if decision.status is RunStatus.PAUSED else None
    if decision.status is RunStatus.PAUSED and before in pauses.INTERRUPTED:
        await iterations.interrupt(session, run, now=now)
    if decision.status in lifecycle.WAITING:
        await iterations.wait_for_people(session, run, now=now)
    if decision.status is RunStatus.ESCALATED:
        session.add(InterventionRow(run_id=run.id, kind="escalation", actor="", detail=decision.reason, at=now))


async def give_verdict(
    session: AsyncSession, delivery: DeliveryRow, *, verdict: str, reason: str, run: RunId | None, now: datetime
) -> None:
    """Note what became of a delivery."""
    delivery.verdict, delivery.reason, delivery.run_id, delivery.decided_at = verdict, reason, run, now
    await session.flush()
