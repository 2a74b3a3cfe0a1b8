"""What follows when a run is handed over to people: they are told all of it, reminded once, then it closes. No I/O."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import Policy
from receiver import limits
from receiver.workflow.effects import HandOver, RemindTicket
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.outcomes import ended, noted
from receiver.workflow.run import Decision, Run, RunStatus

CLOSED: EndReason = EndReason(
    code=EndCode.NO_ANSWER,
    sentence="It was handed over to people, and nobody answered, also not to the reminder. An open merge request stays "
    "open, and merging it still counts; set the label again for a new run.",
)


def followed(decision: Decision, run: Run | None, *, catalogue: Catalogue, now: datetime) -> Decision:
    """Return a decision with what it takes to hand a run over, or to take that back where somebody goes on."""
    was_handed_over = run is not None and run.status is RunStatus.ESCALATED
    effects = (*(one for one in decision.effects if not isinstance(one, HandOver)), HandOver())
    if decision.status is RunStatus.ESCALATED and not was_handed_over:
        return replace(decision, effects=effects, deadline=_first(catalogue.policy, now))
    if was_handed_over and decision.status is not None:
        return replace(decision, effects=effects)
    return decision


def unanswered(run: Run, *, policy: Policy, now: datetime) -> Decision:
    """Remind people once of a run that waits for them, and close it when nobody answers that either."""
    since = run.since or now
    until = since + timedelta(days=policy.remind_after + policy.close_after)
    is_last = policy.close_after > 0 and (now >= until or policy.remind_after == 0)
    if is_last:
        return ended(run, RunStatus.CLOSED, CLOSED, now=now)
    last = f" until {until:%Y-%m-%d}, or it is closed" if policy.close_after else ""
    said = f"The bug fix waits for an answer to the question above. Please answer it{last}."
    never = now + limits.NEVER
    return noted(said, RemindTicket(text=said, since=since), deadline=until if policy.close_after else never)


def _first(policy: Policy, now: datetime) -> datetime | None:
    days = policy.remind_after or policy.close_after
    return now + timedelta(days=days) if days else None
