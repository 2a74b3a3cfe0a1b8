"""What follows when a run is handed over to people: they are told all of it, reminded once, then it closes. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from pipelines.language import ImplementationResult, TestingResult
from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import Policy
from receiver import limits
from receiver.workflow.effects import HandOver, OpenDraft, RemindTicket
from receiver.workflow.end_codes import CLASSES, EndCode, EndReason, FailureClass
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
        drafts = () if run is None or decision.end is None else _drafts(run, decision.end)
        return replace(decision, effects=(*effects, *drafts), deadline=_first(catalogue.policy, now))
    if was_handed_over and decision.status is not None:
        return replace(decision, effects=effects)
    return decision


def _drafts(run: Run, why: EndReason) -> Iterator[OpenDraft]:
    """Yield drafts for partial work: changes that turned the reproduction green and failed otherwise.

    What left it red shows nothing that people could go on from, and stays among the artifacts.
    """
    if CLASSES.get(why.code) is not FailureClass.CODE or not run.audience.is_public:
        return
    have = {one.repository for one in run.merge_requests}
    made = {one.repository: one.result for one in run.reports if isinstance(one.result, ImplementationResult)}
    for report in run.discarded:
        match report.result:
            case TestingResult(
                patch_sha256=tested, reproduction_before_failed=True, reproduction_after_passed=True
            ) if report.repository is not None and report.repository not in have:
                change = made.get(report.repository)
                if change is not None and change.patch_sha256 == tested:
                    yield OpenDraft(iteration=run.iteration, repository=report.repository)


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
