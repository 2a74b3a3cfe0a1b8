"""Display names of event kinds, for a run's story. Those of effects are in `effect_table`. No I/O."""

from __future__ import annotations

from typing import Final

from receiver.workflow import events

EVENTS: Final[dict[str, str]] = {
    kind.__name__: words
    for kind, words in (
        (events.IssueLabelled, "label set on the ticket"),
        (events.LabelChanged, "label changed on the ticket"),
        (events.LabelChecked, "label checked"),
        (events.StartRequested, "start asked for at the command line"),
        (events.TicketAdmitted, "ticket read"),
        (events.TicketRefused, "ticket not taken"),
        (events.IssueRestricted, "ticket restricted"),
        (events.TurnOffered, "turn offered"),
        (events.AttemptUnfunded, "attempt not funded"),
        (events.PipelineStarted, "pipeline created"),
        (events.PipelineChanged, "pipeline"),
        (events.JobChanged, "job"),
        (events.ReportAccepted, "phase reported"),
        (events.ReportDiscarded, "report does not count"),
        (events.ReportsSettled, "all reports settled"),
        (events.MergeRequestOpened, "merge request opened"),
        (events.TargetPipelineReleased, "own pipeline released"),
        (events.MergeJudged, "merge judged"),
        (events.PicturesAttached, "pictures attached to the ticket"),
        (events.MergeRequestChanged, "merge request"),
        (events.NotePosted, "note on the merge request"),
        (events.NoteRead, "note read"),
        (events.IssueCommented, "comment on the ticket"),
        (events.CommentRead, "comment read"),
        (events.CommandTyped, "command at a terminal"),
        (events.TicketRefreshed, "ticket read again"),
        (events.EffectGaveUp, "not possible"),
        (events.DeadlinePassed, "deadline passed"),
        (events.NotInteresting, "something else"),
    )
} | {"JobRefused": "refused to a job"}
"""Display name of each event kind. `JobRefused` is not an event: the story shows refusals of jobs (store.refusals)."""


def event(kind: str) -> str:
    """Return the display name of an event kind; an unknown kind is its own name."""
    return EVENTS.get(kind, kind)
