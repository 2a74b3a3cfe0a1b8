"""Decide what an event means for a run. Performs no I/O; time and new ids are passed in.

Under the run's row lock the worker writes what the event tells (`receiver.store.run.fold`), loads the run and calls
`decide`; fold, decision and effects commit together. Every (status, event) has an answer; a move is always one of
`lifecycle.MOVES`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, assert_never

from pipelines.language import RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.command_grants import CommandGrants
from receiver import limits
from receiver.workflow import end_reasons, lifecycle
from receiver.workflow.commands import labels, note_dialogue, pauses, steering, ticket_dialogue
from receiver.workflow.commands.command_refusals import BY_TABLE
from receiver.workflow.commands.given_command import Circumstances, Given
from receiver.workflow.effect_table import EFFECTS, EffectTable
from receiver.workflow.effects import (
    PollGitLab,
    SettleReports,
)
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import (
    MergeJudged,
    MergeRequestChanged,
    MergeRequestOpened,
    PicturesAttached,
    TargetPipelineReleased,
)
from receiver.workflow.events.message_events import CommandTyped, CommentRead, IssueCommented, NotePosted, NoteRead
from receiver.workflow.events.outcome_events import OutcomeSeen, RevertMerged
from receiver.workflow.events.pipeline_events import (
    JobChanged,
    PipelineChanged,
    PipelineStarted,
    ReportAccepted,
    ReportDiscarded,
    ReportsSettled,
)
from receiver.workflow.events.remedy_events import RemedyTold
from receiver.workflow.events.run_events import (
    AttemptUnfunded,
    DeadlinePassed,
    EffectGaveUp,
    NotInteresting,
    TurnOffered,
)
from receiver.workflow.events.ticket_events import (
    IssueLabelled,
    IssueRestricted,
    LabelChanged,
    LabelChecked,
    StartRequested,
    TicketAdmitted,
    TicketRefreshed,
    TicketRefused,
)
from receiver.workflow.outcomes import ended, ignored, noted
from receiver.workflow.run import Decision, Learned, Run, RunStatus
from receiver.workflow.stages import (
    escalation,
    merge_request_stage,
    merge_stage,
    outcome_stage,
    pipeline_progress,
    remedy_stage,
    replanning,
    start,
    ticket_restriction,
)
from receiver.workflow.turns import EMPTY_QUEUE, RunQueue

AT_ONCE: Final = lifecycle.ACTIVE - lifecycle.WAITING
"""Statuses in which the start label, taken off and set again, begins nothing by itself."""
NO_RUN: Final = "No run is at work on what the hook is about."


def decide(  # noqa: PLR0913  # all that a decision depends on is passed in
    event: Event,
    run: Run | None,
    *,
    learned: Learned,
    catalogue: Catalogue,
    now: datetime,
    new_id: RunId,
    queue: RunQueue = EMPTY_QUEUE,
    effects: EffectTable = EFFECTS,
    grants: CommandGrants = BY_TABLE,
) -> Decision:
    """Return what to do about an event.

    `run` is the one that the event is about, with what the event tells: for a ticket its newest, ended or not; for
    GitLab's hooks the one whose pipeline or merge request it is; None when there is none. `learned`: what of it is new.
    `queue`: the other runs, where the event can let this one begin. `grants`: who may say which command.
    """
    circumstances = Circumstances(
        catalogue=catalogue, grants=grants, queue=queue, now=now, new_id=new_id, is_newest=learned.is_newest
    )
    decision = _decided(event, run, circumstances, learned=learned, effects=effects)
    decision = merge_request_stage.followed(decision, run, catalogue=catalogue)
    return escalation.followed(decision, run, catalogue=catalogue, now=now)


def _decided(  # noqa: C901, PLR0911  # a table over the events
    event: Event, run: Run | None, circumstances: Circumstances, *, learned: Learned, effects: EffectTable
) -> Decision:
    catalogue, now, new_id = circumstances.catalogue, circumstances.now, circumstances.new_id
    match event:
        case IssueLabelled() if run is not None and learned.was_unlabelled and run.status in AT_ONCE:
            return labels.set_again(event, run)
        case IssueLabelled():
            told_late = run is not None and not learned.is_new
            return start.labelled(event, run=run, told_late=told_late, now=now, new_id=new_id)
        case StartRequested():
            return start.requested(
                event.issue_key, run=run, actor=None, actor_name=event.actor_name, now=now, new_id=new_id
            )
        case NotInteresting():
            return ignored(event.reason)
        case PipelineChanged() | JobChanged() if run is None:
            return pipeline_progress.unknown_pipeline(event, catalogue=catalogue)
        case MergeRequestChanged() | NotePosted() if run is None:
            return ignored(f"{event.project}!{event.iid} is not a run's merge request.")
        case IssueCommented() if run is None and event.is_addressed and event.issue_key is not None:
            return ticket_dialogue.nothing_here(event, now=now, new_id=new_id)
        case _ if run is None:
            return ignored(NO_RUN)
        case IssueRestricted():
            return ticket_restriction.restricted(event, run, learned=learned, now=now)
        case TicketRefreshed() if event.ticket.security_level and not learned.was_confidential:
            level = IssueRestricted(issue_key=run.issue_key, level=event.ticket.security_level)
            return ticket_restriction.restricted(level, run, learned=learned, now=now)
        case _:
            return _of_run(event, run, circumstances, learned=learned, effects=effects)


def _of_run(  # noqa: C901, PLR0911, PLR0912  # a table over the events
    event: Event, run: Run, circumstances: Circumstances, *, learned: Learned, effects: EffectTable
) -> Decision:
    catalogue, queue, now = circumstances.catalogue, circumstances.queue, circumstances.now
    match event:
        case TicketAdmitted():
            return start.admitted(event, run, catalogue=catalogue, queue=queue, now=now)
        case LabelChanged():
            return labels.changed(event, run)
        case LabelChecked():
            return labels.checked(event, run, circumstances)
        case TicketRefused():
            return start.refused(event, run, now=now)
        case TurnOffered():
            return start.turn_offered(run, catalogue=catalogue, queue=queue, now=now)
        case AttemptUnfunded():
            return start.unfunded(event, run, now=now)
        case PipelineStarted():
            return start.pipeline_started(event, run, now=now)
        case PipelineChanged() if merge_request_stage.is_target_pipeline(event, run):
            return merge_request_stage.target_pipeline(event, run, learned=learned, catalogue=catalogue)
        case PipelineChanged():
            return pipeline_progress.pipeline_changed(event, run, learned=learned, now=now)
        case JobChanged():
            return pipeline_progress.job_changed(event, run, learned=learned)
        case ReportAccepted():
            return pipeline_progress.report_accepted(event, run, learned=learned, catalogue=catalogue, now=now)
        case ReportDiscarded():
            return pipeline_progress.report_discarded(event, run, learned=learned)
        case ReportsSettled():
            return pipeline_progress.reports_settled(event, run, catalogue=catalogue, now=now)
        case MergeRequestOpened():
            return merge_request_stage.opened(event, run, learned=learned, catalogue=catalogue, now=now)
        case MergeRequestChanged():
            return merge_request_stage.changed(event, run, learned=learned, catalogue=catalogue, now=now)
        case MergeJudged():
            return merge_stage.judged(event, run, learned=learned, catalogue=catalogue)
        case TargetPipelineReleased():
            return merge_request_stage.released(event)
        case PicturesAttached():
            return merge_request_stage.pictured(event)
        case RevertMerged():
            return outcome_stage.revert_merged(event, run)
        case OutcomeSeen():
            return outcome_stage.seen(event, run, learned=learned)
        case RemedyTold():
            return remedy_stage.told(event, run, learned=learned)
        case EffectGaveUp():
            return _gave_up(event, run, effects=effects, now=now)
        case DeadlinePassed():
            return _overdue(event, run, catalogue=catalogue, now=now)
        case NotePosted():
            return note_dialogue.posted(event)
        case NoteRead():
            return note_dialogue.note_read(event, run, circumstances, learned=learned)
        case IssueCommented():
            return ticket_dialogue.commented(event, run)
        case CommentRead():
            return ticket_dialogue.comment_read(event, run, circumstances, learned=learned)
        case CommandTyped():
            given = Given(command=event.command, person=event.author, message=event.message, plan=run.iteration)
            return steering.steered(given, run, circumstances, learned=learned)
        case TicketRefreshed() if run.iteration == 0:
            return start.completed(event, run, catalogue=catalogue, queue=queue, now=now)
        case TicketRefreshed():
            return replanning.refreshed(event, run, catalogue=catalogue, queue=queue, now=now)
        case IssueLabelled() | StartRequested() | IssueRestricted() | NotInteresting():
            raise AssertionError(event)  # answered by `decide`
        case never:
            assert_never(never)


def _gave_up(event: EffectGaveUp, run: Run, *, effects: EffectTable, now: datetime) -> Decision:
    what = effects.failure(event.effect, run.status)
    if event.message is not None:
        return steering.unread(event.message, event.reason)
    if event.author is not None:
        return labels.unread(run, event.reason, author=event.author)
    if not what:
        return noted(f"It was not possible to {effects.name(event.effect)}: {event.reason}")
    reason = f"{what}: {event.reason} Put that right, then set the label again."
    return ended(run, RunStatus.ESCALATED, EndReason(code=EndCode.GAVE_UP, sentence=reason), now=now)


ASKED_FIRST: Final = frozenset({RunStatus.RUNNING, RunStatus.OPENING, RunStatus.IN_REVIEW})
"""Statuses in which GitLab may know better than we do."""


def _overdue(event: DeadlinePassed, run: Run, *, catalogue: Catalogue, now: datetime) -> Decision:
    due = run.deadline
    if event.status != run.status or due is None or now < due:
        return ignored(f"A deadline of {event.status} passed; the run is {run.status} and not overdue.")
    if run.status is RunStatus.ESCALATED:
        return escalation.unanswered(run, policy=catalogue.policy, now=now)
    above = run.parent
    limit = lifecycle.LIMITS[run.status]
    is_settling = run.status is RunStatus.RUNNING and above is not None and lifecycle.is_over(above.status)
    last = (run.since or due) + limit + limits.OVERDUE_GRACE
    was_asked = is_settling or due >= last
    if run.status in ASKED_FIRST and (now - due > limits.DEADLINE_NOTICED_LATE or not was_asked):
        return noted(
            f"The run is {run.status} for longer than it should be; GitLab is asked how things are.",
            PollGitLab(iteration=run.iteration),
            SettleReports(iteration=run.iteration),
            deadline=now + limits.OVERDUE_GRACE if is_settling else max(now + limits.OVERDUE_GRACE, last),
        )
    if is_settling and above is not None:
        return pipeline_progress.concluded(run, above, catalogue=catalogue, now=now)
    if run.status is RunStatus.PAUSED and now < (until := (run.since or due) + limits.PAUSED):
        return pauses.reminded(run, until=until)
    to = RunStatus.DECLINED if run.status in lifecycle.WAITING else RunStatus.ESCALATED
    code, said = _OVERDUE[run.status]
    return ended(run, to, EndReason(code=code, sentence=f"{said} {_why_overdue(run)}".strip()), now=now)


_OVERDUE: Final[dict[RunStatus, tuple[EndCode, str]]] = {
    RunStatus.ADMITTING: (
        EndCode.TIME_LIMIT,
        "The ticket could not be fetched in time. Check that Jira answers, then set the label again.",
    ),
    RunStatus.QUEUED: (
        EndCode.TIME_LIMIT,
        "The run's turn did not come within a week. Raise `policy.concurrency`, then set the label again.",
    ),
    RunStatus.STARTING: (
        EndCode.TIME_LIMIT,
        "The pipeline could not be created in time. Check that GitLab answers, then set the label again.",
    ),
    RunStatus.RUNNING: (EndCode.TIME_LIMIT, "The pipeline took too long."),
    RunStatus.NEEDS_INFORMATION: (
        EndCode.NO_ANSWER,
        "Nobody answered the question for two weeks. Answer it and set the label again.",
    ),
    RunStatus.AWAITING_APPROVAL: (
        EndCode.NO_APPROVAL,
        "Nobody approved the plan for two weeks. Set the label again for a new one.",
    ),
    RunStatus.OPENING: (
        EndCode.TIME_LIMIT,
        "The merge request could not be opened in time. Look at the branch in GitLab, then set the label again.",
    ),
    RunStatus.PAUSED: (
        EndCode.NOT_RESUMED,
        "Nobody resumed it for two weeks. `/bug-fix retry` makes another attempt of what is known.",
    ),
    RunStatus.IN_REVIEW: (
        EndCode.NO_REVIEW,
        "Nobody merged or closed the merge request for two weeks. It stays open; merging it still counts.",
    ),
}


def _why_overdue(run: Run) -> str:
    if run.status is not RunStatus.RUNNING:
        return ""
    return f"{end_reasons.of_waiting(run)} What is left of it is cancelled. Set the label again for a new run."
