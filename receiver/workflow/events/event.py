"""Any event that a run can be told of."""

from __future__ import annotations

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

Event = (
    IssueLabelled
    | LabelChanged
    | LabelChecked
    | StartRequested
    | TicketAdmitted
    | TicketRefused
    | IssueRestricted
    | TurnOffered
    | AttemptUnfunded
    | PipelineStarted
    | PipelineChanged
    | JobChanged
    | ReportAccepted
    | ReportDiscarded
    | ReportsSettled
    | MergeRequestOpened
    | TargetPipelineReleased
    | MergeJudged
    | PicturesAttached
    | RemedyTold
    | RevertMerged
    | OutcomeSeen
    | MergeRequestChanged
    | NotePosted
    | NoteRead
    | IssueCommented
    | CommentRead
    | CommandTyped
    | TicketRefreshed
    | EffectGaveUp
    | DeadlinePassed
    | NotInteresting
)
