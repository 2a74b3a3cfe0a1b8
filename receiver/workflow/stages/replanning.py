"""Decide how a run that waited for people goes on: its ticket is read again, and analysed anew. Performs no I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pipelines.language import Diagnosis, DiagnosisKind, Phase
from pipelines.language.catalogue import Catalogue
from receiver import limits
from receiver.workflow.attempts import next_attempt, next_number
from receiver.workflow.effects import CommentRefusal, RefreshTicket
from receiver.workflow.events.ticket_events import TicketRefreshed, TicketRefused
from receiver.workflow.outcomes import acted, begun, ignored
from receiver.workflow.person import AccountId
from receiver.workflow.run import Cause, Decision, Run, RunStatus
from receiver.workflow.turns import RunQueue


def labelled_again(run: Run, *, actor: AccountId | None, actor_name: str) -> Decision:
    """Take a label that was set again as an answer, or as a no to a plan that waits: analysis begins anew."""
    who = actor_name or "Somebody"
    return acted(
        f"{who} set the label again; the ticket is read again.",
        RefreshTicket(
            iteration=next_number(run),
            actor=actor,
            is_for_starters=run.status is RunStatus.AWAITING_APPROVAL and run.waits >= limits.PLANS_FOR_REPORTER,
            because=f"{who} set the label again.",
        ),
    )


def refreshed(event: TicketRefreshed, run: Run, *, catalogue: Catalogue, queue: RunQueue, now: datetime) -> Decision:
    """Analyse anew with what the ticket says now."""
    before = _BEFORE.get(run.status)
    if before is None or event.iteration != next_number(run):
        return ignored(f"The ticket was read again; the run is {run.status}, in iteration {run.iteration}.")
    attempt = next_attempt(
        run,
        before.cause,
        catalogue=catalogue,
        diagnoses=(Diagnosis(kind=before.diagnosis, phase=Phase.ANALYSIS), *_hint(event.hint)),
    )
    held = replace(run, is_held=catalogue.jira.start.hold_label in event.ticket.labels)
    decision = begun(held, f"{event.because} Analysis begins anew.", queue=queue, now=now, attempt=attempt)
    return replace(decision, is_held=held.is_held)


def _hint(said: str) -> tuple[Diagnosis, ...]:
    return (Diagnosis(kind=DiagnosisKind.HINT, phase=Phase.ANALYSIS, messages=(said,)),) if said else ()


class _EndedWait(Struct, frozen=True, kw_only=True):
    """The wait that ends with reading the ticket again."""

    cause: Cause
    diagnosis: DiagnosisKind
    """What a new analysis is told of the one before."""


_BEFORE: Final[dict[RunStatus, _EndedWait]] = {
    RunStatus.NEEDS_INFORMATION: _EndedWait(cause=Cause.ANSWERED, diagnosis=DiagnosisKind.QUESTION),
    RunStatus.AWAITING_APPROVAL: _EndedWait(cause=Cause.REPLANNED, diagnosis=DiagnosisKind.PLAN_NOT_APPROVED),
}


def not_refreshed(event: TicketRefused, run: Run) -> Decision:
    """Somebody who may not set the label again on a ticket whose run waits."""
    told = CommentRefusal(issue_key=run.issue_key, text=event.reason, author=event.actor)
    return acted(event.reason, told)
