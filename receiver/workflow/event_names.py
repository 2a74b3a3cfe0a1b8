"""Display names of event kinds, for a run's story. Those of effects are in `effect_table`. No I/O."""

from __future__ import annotations

from typing import Final

from receiver.workflow.events import (
    merge_request_events,
    message_events,
    outcome_events,
    pipeline_events,
    remedy_events,
    run_events,
    ticket_events,
)

EVENTS: Final[dict[str, str]] = {
    kind.__name__: words
    for kind, words in (
        (ticket_events.IssueLabelled, "label set on the ticket"),
        (ticket_events.LabelChanged, "label changed on the ticket"),
        (ticket_events.LabelChecked, "label checked"),
        (ticket_events.StartRequested, "start asked for at the command line"),
        (ticket_events.TicketAdmitted, "ticket read"),
        (ticket_events.TicketRefused, "ticket not taken"),
        (ticket_events.IssueRestricted, "ticket restricted"),
        (run_events.TurnOffered, "turn offered"),
        (run_events.AttemptUnfunded, "attempt not funded"),
        (pipeline_events.PipelineStarted, "pipeline created"),
        (pipeline_events.PipelineChanged, "pipeline"),
        (pipeline_events.JobChanged, "job"),
        (pipeline_events.ReportAccepted, "phase reported"),
        (pipeline_events.ReportDiscarded, "report does not count"),
        (pipeline_events.ReportsSettled, "all reports settled"),
        (merge_request_events.MergeRequestOpened, "merge request opened"),
        (merge_request_events.TargetPipelineReleased, "own pipeline released"),
        (merge_request_events.MergeJudged, "merge judged"),
        (merge_request_events.PicturesAttached, "pictures attached to the ticket"),
        (merge_request_events.MergeRequestChanged, "merge request"),
        (outcome_events.RevertMerged, "merge request that takes ours back"),
        (outcome_events.OutcomeSeen, "what became of the fix"),
        (remedy_events.RemedyTold, "remedy on the merge request"),
        (message_events.NotePosted, "note on the merge request"),
        (message_events.NoteRead, "note read"),
        (message_events.IssueCommented, "comment on the ticket"),
        (message_events.CommentRead, "comment read"),
        (message_events.CommandTyped, "command at a terminal"),
        (ticket_events.TicketRefreshed, "ticket read again"),
        (run_events.EffectGaveUp, "not possible"),
        (run_events.DeadlinePassed, "deadline passed"),
        (run_events.NotInteresting, "something else"),
    )
} | {"JobRefused": "refused to a job"}
"""Display name of each event kind. `JobRefused` is not an event: the story shows refusals of jobs (store.refusals)."""


def event(kind: str) -> str:
    """Return the display name of an event kind; an unknown kind is its own name."""
    return EVENTS.get(kind, kind)
