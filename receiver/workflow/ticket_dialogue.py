"""Decide what people's comments, commands and labels on the ticket mean for a run. Performs no I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

from pipelines.language import Diagnosis, DiagnosisKind, Phase, RunId
from pipelines.language.catalogue import Catalogue
from receiver import limits
from receiver.comments.command_line import Command
from receiver.workflow import commands, lifecycle
from receiver.workflow.attempts import next_attempt, next_number
from receiver.workflow.commands import CommandWord
from receiver.workflow.effects import AnswerComment, CommentRefusal, ReadComment, RefreshTicket
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.events import (
    AccountId,
    CommentRead,
    IssueCommented,
    TicketRefreshed,
    TicketRefused,
)
from receiver.workflow.outcomes import acted, begun, ignored, noted
from receiver.workflow.person import Person, Right
from receiver.workflow.run import Cause, Decision, Learned, Run, RunStatus, Verdict
from receiver.workflow.turns import RunQueue

MAY_ANSWER = frozenset({Right.START, Right.REPORTER})
"""Whose comment answers a question."""

NOTHING_HERE: Final = (
    "No bug fix was started for this ticket, so there is nothing to command. Somebody who may start bug fixes sets the "
    "label `{label}`."
)
"""Said to every command, whoever gives it."""

UNSEEN = "The plan has changed since you wrote that, or was not shown yet: read the one that waits and approve again."
"""Said to an approval of whatever stood there before."""


def commented(event: IssueCommented, run: Run) -> Decision:
    """Read a comment that may be an answer or a command; others are left alone."""
    if event.is_addressed or run.status is RunStatus.NEEDS_INFORMATION:
        return acted("A comment on the run's ticket; it is read.", ReadComment(comment=event.comment))
    return noted("A comment on the run's ticket; it commands nothing.")


def nothing_here(event: IssueCommented, *, now: datetime, new_id: RunId) -> Decision:
    """Read a command on a ticket that has no run: one that was never begun keeps it and its answer."""
    why = EndReason(
        code=EndCode.NOTHING_TO_COMMAND,
        sentence="Somebody wrote a command on a ticket that has no bug fix; nothing is started.",
    )
    return Decision(
        verdict=Verdict.ACTED,
        reason=why.sentence,
        status=RunStatus.REFUSED,
        end=why,
        deadline=lifecycle.move(RunStatus.ADMITTING, RunStatus.REFUSED, now=now),
        new_run=new_id,
        effects=(ReadComment(comment=event.comment),),
    )


def comment_read(
    event: CommentRead, run: Run, *, learned: Learned, catalogue: Catalogue, queue: RunQueue, now: datetime
) -> Decision:
    """Obey a command, take an answer, or say why not; a comment counts once."""
    if event.ignored:
        return ignored(event.ignored)
    if not learned.is_new:
        return ignored(f"Comment {event.comment} was read before.")
    author = event.author
    if author is None:
        return ignored(f"Comment {event.comment} has no author.")
    if event.command is None:
        return _answered(event, author, run)
    refusal = _refusal(event.command, author, run, plan_seen=event.plan, label=catalogue.jira.start.label)
    if refusal is not None:
        return _refused(event, author, refusal)
    match CommandWord(event.command.word):
        case CommandWord.APPROVE:
            return begun(
                run,
                f"{author.called} approved the plan.",
                queue=queue,
                now=now,
                attempt=next_attempt(run, Cause.APPROVED, catalogue=catalogue, approved_by=author.account),
            )


def _refused(event: CommentRead, author: Person, why: str) -> Decision:
    answer = AnswerComment(
        comment=event.comment,
        text=why,
        author=author.account,
        name=author.name,
        may_start=author.has_any({Right.START}),
    )
    return acted(f"{author.called}'s command is not obeyed. {why}", answer)


def _refusal(command: Command, author: Person, run: Run, *, plan_seen: int | None, label: str) -> str | None:
    """Return what to say to somebody whose command is not obeyed, None when it is."""
    if run.status is RunStatus.REFUSED:
        return NOTHING_HERE.format(label=label)
    if author.unknown_because:
        return f"It could not be checked whether you may do that: {author.unknown_because} Comment again in a while."
    refusal = commands.refusal(command, author, run.status)
    return UNSEEN if refusal is None and plan_seen != run.iteration else refusal


def _answered(event: CommentRead, author: Person, run: Run) -> Decision:
    if event.seems_meant and run.status is RunStatus.AWAITING_APPROVAL:
        return _refused(event, author, commands.NOT_READ.format(command=CommandWord.APPROVE))
    if run.status is not RunStatus.NEEDS_INFORMATION:
        return noted(f"{author.called} commented on the ticket; the run is {run.status}.")
    if not author.has_any(MAY_ANSWER):
        why = author.unknown_because or "Only the reporter and those who may start runs make it go on."
        return noted(f"{author.called} commented on the ticket. {why}")
    return acted(
        f"{author.called} answered; the ticket is read again.",
        RefreshTicket(iteration=next_number(run), actor=None, because=f"{author.called} answered on the ticket."),
    )


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
    return begun(
        run,
        f"{event.because} Analysis begins anew.",
        queue=queue,
        now=now,
        attempt=next_attempt(
            run,
            before.cause,
            catalogue=catalogue,
            diagnoses=(Diagnosis(kind=before.diagnosis, phase=Phase.ANALYSIS),),
        ),
    )


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
