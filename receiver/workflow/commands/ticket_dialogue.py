"""Decide what people's comments, commands and labels on the ticket mean for a run. Performs no I/O."""

from __future__ import annotations

from datetime import datetime

from pipelines.language import RunId
from receiver.comments.command_line import Command
from receiver.workflow import lifecycle
from receiver.workflow.attempts import next_number
from receiver.workflow.commands import command_refusals, confidences
from receiver.workflow.commands.command_table import CommandWord
from receiver.workflow.commands.given_command import Circumstances, Given, answer, refused
from receiver.workflow.commands.steering import steered
from receiver.workflow.effects import ReadComment, RefreshTicket
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.events.message_events import CommentRead, IssueCommented
from receiver.workflow.outcomes import acted, ignored, noted
from receiver.workflow.person import Person, Right
from receiver.workflow.run import Decision, Learned, Run, RunStatus, Verdict

MAY_ANSWER = frozenset({Right.START, Right.REPORTER})
"""Whose comment answers a question."""


def commented(event: IssueCommented, run: Run) -> Decision:
    """Read a comment that may be an answer or a command; others are left alone."""
    if event.is_addressed or run.status is RunStatus.NEEDS_INFORMATION:
        wanted = ReadComment(comment=event.comment, overtakes=event.overtakes)
        return acted("A comment on the run's ticket; it is read.", wanted)
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


def comment_read(event: CommentRead, run: Run, circumstances: Circumstances, *, learned: Learned) -> Decision:
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
    given = Given(
        command=event.command,
        person=author,
        message=event.message,
        plan=event.plan,
        is_confided=confidences.is_confided(event.message, run),
    )
    return steered(given, run, circumstances, learned=learned)


def _answered(event: CommentRead, author: Person, run: Run) -> Decision:
    if event.seems_meant and run.status is RunStatus.AWAITING_APPROVAL:
        given = Given(command=Command(word=""), person=author, message=event.message)
        return refused(given, command_refusals.NOT_READ.format(command=CommandWord.APPROVE))
    if run.status is not RunStatus.NEEDS_INFORMATION:
        return noted(f"{author.called} commented on the ticket; the run is {run.status}.")
    if not author.has_any(MAY_ANSWER):
        why = author.unknown_because or "Only the reporter and those who may start runs make it go on."
        return noted(f"{author.called} commented on the ticket. {why}")
    if confidences.is_confided(event.message, run):
        given = Given(command=Command(word=""), person=author, message=event.message)
        said = (
            f"{author.called} answered where only some may read, while everybody may read of the run: it is not taken."
        )
        return acted(said, *answer(given, confidences.NOT_AN_ANSWER))
    return acted(
        f"{author.called} answered; the ticket is read again.",
        RefreshTicket(iteration=next_number(run), actor=None, because=f"{author.called} answered on the ticket."),
    )
