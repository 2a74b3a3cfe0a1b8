"""Decide what starts a run, and whether it may: labels, requests, the fetched ticket, the first pipeline. No I/O."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from msgspec.structs import replace

from pipelines.language import IssueKey, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.wire import Ticket
from receiver import limits
from receiver.workflow import lifecycle, turns
from receiver.workflow.attempts import next_attempt
from receiver.workflow.audience import Audience
from receiver.workflow.effects import (
    AdmitTicket,
    AskReporter,
    CancelPipeline,
    CommentRefusal,
    Effect,
    LinkTicket,
    PollGitLab,
    StartPipeline,
    TransitionIssue,
)
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.events.pipeline_events import PipelineStarted
from receiver.workflow.events.run_events import AttemptUnfunded
from receiver.workflow.events.ticket_events import IssueLabelled, TicketAdmitted, TicketRefreshed, TicketRefused
from receiver.workflow.outcomes import acted, begun, ended, ignored, moved, noted
from receiver.workflow.person import AccountId
from receiver.workflow.readiness import rules
from receiver.workflow.run import Cause, Decision, Run, RunStatus, Verdict
from receiver.workflow.stages import replanning
from receiver.workflow.turns import RunQueue


def labelled(event: IssueLabelled, *, run: Run | None, told_late: bool, now: datetime, new_id: RunId) -> Decision:
    """Somebody set the label. `told_late`: it was heard of before, or a later one was."""
    if told_late and (run is None or run.status not in lifecycle.ACTIVE - lifecycle.WAITING):
        return ignored(f"The label of {event.issue_key} was heard of before: its hook is late.")
    return requested(event.issue_key, run=run, actor=event.actor, actor_name=event.actor_name, now=now, new_id=new_id)


def requested(
    issue_key: IssueKey,
    *,
    run: Run | None,
    actor: AccountId | None,
    actor_name: str,
    now: datetime,
    new_id: RunId,
) -> Decision:
    """Somebody asks for a run: one that is active already is left alone."""
    if run is not None and run.status in lifecycle.WAITING:
        return replanning.labelled_again(run, actor=actor, actor_name=actor_name)
    if run is not None and run.status in lifecycle.ACTIVE:
        return ignored(f"Run {run.id} is already at work on {issue_key} ({run.status}).")
    was_begun = run is not None and run.status is not RunStatus.REFUSED
    again = f" again, after run {run.id} ended as {run.status}" if run is not None and was_begun else ""
    return Decision(
        verdict=Verdict.ACTED,
        reason=f"{actor_name or 'Somebody'} asked for a fix of {issue_key}{again}.",
        status=RunStatus.ADMITTING,
        deadline=lifecycle.deadline(RunStatus.ADMITTING, now=now),
        new_run=new_id,
        branch=(run.branch or None) if run is not None else None,
        effects=(AdmitTicket(issue_key=issue_key, actor=actor),),
    )


def admitted(event: TicketAdmitted, run: Run, *, catalogue: Catalogue, queue: RunQueue, now: datetime) -> Decision:
    """Start the first iteration, let it wait for its turn, or ask what the ticket does not say."""
    if run.status is not RunStatus.ADMITTING:
        return ignored(f"{run.issue_key} was admitted before; the run is {run.status}.")
    branch = None if run.branch else branch_name(run.issue_key, event.ticket.summary, run.audience)
    gaps = () if is_held(event.ticket, catalogue) else rules.gaps(event.ticket, catalogue)
    if gaps:
        ask = AskReporter(iteration=run.iteration)
        decision = moved(run, RunStatus.NEEDS_INFORMATION, rules.reason(gaps), ask, now=now, branch=branch)
        return replace(decision, asked=rules.question(gaps))
    said = f"{run.issue_key} can be worked on."
    return replace(_first(event.ticket, run, said, catalogue=catalogue, queue=queue, now=now), branch=branch)


def completed(event: TicketRefreshed, run: Run, *, catalogue: Catalogue, queue: RunQueue, now: datetime) -> Decision:
    """Start the first iteration after the ticket was asked about; nothing is asked twice without a model."""
    if run.status is not RunStatus.NEEDS_INFORMATION:
        return ignored(f"The ticket was read again; the run is {run.status}.")
    return _first(event.ticket, run, event.because, catalogue=catalogue, queue=queue, now=now)


def _first(ticket: Ticket, run: Run, said: str, *, catalogue: Catalogue, queue: RunQueue, now: datetime) -> Decision:
    attempt = next_attempt(run, Cause.ADMITTED, catalogue=catalogue)
    held = replace(run, is_held=is_held(ticket, catalogue))
    started = transition(catalogue.jira.transitions.started)
    return replace(begun(held, said, *started, attempt=attempt, queue=queue, now=now), is_held=held.is_held)


def is_held(ticket: Ticket, catalogue: Catalogue) -> bool:
    """Return whether the ticket has the label that pauses its run."""
    return catalogue.jira.start.hold_label in ticket.labels


def refused(event: TicketRefused, run: Run, *, now: datetime) -> Decision:
    """Say once why nothing is started."""
    if run.status in lifecycle.WAITING:
        return replanning.not_refreshed(event, run)
    if run.status not in {RunStatus.ADMITTING, RunStatus.QUEUED}:
        return ignored(f"The ticket was refused too late; the run is {run.status}.")
    comment = CommentRefusal(issue_key=run.issue_key, text=event.reason, author=event.actor)
    return Decision(
        verdict=Verdict.ACTED,
        reason=event.reason,
        status=RunStatus.REFUSED,
        end=EndReason(code=EndCode.NOT_ADMITTED, sentence=event.reason),
        deadline=lifecycle.move(run.status, RunStatus.REFUSED, now=now),
        effects=(comment,),  # the refusal is all that people should see: no status note
    )


def turn_offered(run: Run, *, catalogue: Catalogue, queue: RunQueue, now: datetime) -> Decision:
    """Let a queued run begin if it is among those whose turn it is."""
    if run.status is not RunStatus.QUEUED:
        return ignored(f"A turn was offered; the run is {run.status}.")
    if not turns.may_begin(queue):
        return noted(f"The turn went to another run. {turns.why_waiting(queue)}")
    first = transition(catalogue.jira.transitions.started) if run.iteration == 1 else ()
    return moved(
        run,
        RunStatus.STARTING,
        "Its turn has come; its pipeline is being created.",
        StartPipeline(iteration=run.iteration),
        *first,
        now=now,
    )


def unfunded(event: AttemptUnfunded, run: Run, *, now: datetime) -> Decision:
    """End a run whose attempt is more than the budget has left: nothing of it was begun."""
    if run.status is not RunStatus.STARTING or event.iteration != run.iteration:
        return ignored(f"Attempt {event.iteration} was not funded; the run is {run.status}, in {run.iteration}.")
    return ended(run, RunStatus.ESCALATED, EndReason(code=EndCode.BUDGET, sentence=event.reason), now=now)


def pipeline_started(event: PipelineStarted, run: Run, *, now: datetime) -> Decision:
    """Take the pipeline as the iteration's own, or cancel it when there is another or nobody waits for it."""
    if run.status is RunStatus.STARTING and event.iteration == run.iteration:
        return moved(
            run,
            RunStatus.RUNNING,
            f"Pipeline {event.pipeline} works on iteration {event.iteration}.",
            LinkTicket(
                global_id=f"bug-fix:{run.id}:pipeline",
                url=event.url,
                title=f"Bug fix pipeline, iteration {event.iteration}",
            ),
            # hooks that came before we knew the pipeline were ignored
            PollGitLab(iteration=event.iteration),
            now=now,
        )
    known = run.parent
    if run.status in lifecycle.ACTIVE - {RunStatus.PAUSED} and known is not None and known.pipeline == event.pipeline:
        return ignored(f"Pipeline {event.pipeline} is known already.")
    reason = f"Nobody waits for pipeline {event.pipeline}: the run is {run.status}, in iteration {run.iteration}."
    return acted(reason, CancelPipeline(project_id=event.project_id, pipeline=event.pipeline, reason=reason))


def transition(to_status: str | None) -> tuple[Effect, ...]:
    """Return the move of the ticket to a configured status; none is configured: none."""
    return (TransitionIssue(to_status=to_status),) if to_status else ()


def neutral_branch(run: Run) -> str | None:
    """Return a branch that gives nothing away, for a run that turned out to be confidential before it was used."""
    if run.audience.is_public or run.merge_requests:
        return None
    neutral = branch_name(run.issue_key, "", run.audience)
    return None if run.branch == neutral else neutral


def branch_name(issue_key: IssueKey, summary: str, audience: Audience) -> str:
    """Return the run's branch: the key, and a few words of a public ticket's summary made of nothing but `a-z0-9-`.

    Begins so that GitLab's Jira integration links the branch to the ticket.
    """
    if not audience.is_public:
        return f"bug-fix/{issue_key}"
    ascii_only = unicodedata.normalize("NFKD", summary[:500]).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", ascii_only.lower())
    slug = ""
    for word in words:
        if len(slug) + len(word) + 1 > limits.BRANCH_SLUG:
            break
        slug += f"-{word}"
    return f"bug-fix/{issue_key}{slug}"
