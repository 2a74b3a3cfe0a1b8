"""Words for people: what kinds of events and effects are called where a run's story is told. Tables; no I/O."""

from __future__ import annotations

from typing import Final

from receiver.workflow import effects, events

EVENTS: Final[dict[str, str]] = {
    kind.__name__: words
    for kind, words in (
        (events.IssueLabelled, "label set on the ticket"),
        (events.StartRequested, "start asked for at the command line"),
        (events.TicketAdmitted, "ticket read"),
        (events.TicketRefused, "ticket not taken"),
        (events.IssueRestricted, "ticket restricted"),
        (events.PipelineStarted, "pipeline created"),
        (events.PipelineChanged, "pipeline"),
        (events.JobChanged, "job"),
        (events.ReportAccepted, "phase reported"),
        (events.ReportDiscarded, "report does not count"),
        (events.ReportsSettled, "all reports settled"),
        (events.MergeRequestOpened, "merge request opened"),
        (events.MergeRequestChanged, "merge request"),
        (events.NotePosted, "note on the merge request"),
        (events.IssueCommented, "comment on the ticket"),
        (events.CommentRead, "comment read"),
        (events.TicketRefreshed, "ticket read again"),
        (events.EffectGaveUp, "not possible"),
        (events.DeadlinePassed, "deadline passed"),
        (events.NotInteresting, "something else"),
    )
} | {"JobRefused": "refused to a job"}
"""What happened, by the kind of the event, which decisions are stored with; a refusal is no event (store.refusals)."""

EFFECTS: Final[dict[str, str]] = {
    kind.__name__: words
    for kind, words in (
        (effects.AdmitTicket, "read the ticket"),
        (effects.RefreshTicket, "read the ticket again"),
        (effects.ReadComment, "read a comment"),
        (effects.PollTicket, "look for comments on the ticket"),
        (effects.AskReporter, "ask the reporter"),
        (effects.PostPlan, "show the plan on the ticket"),
        (effects.AnswerComment, "answer a comment"),
        (effects.StartPipeline, "create the pipeline"),
        (effects.CancelPipeline, "cancel a pipeline"),
        (effects.SettleReports, "ask GitLab whether reports count"),
        (effects.PollGitLab, "ask GitLab how things are"),
        (effects.OpenMergeRequest, "commit the fix and open the merge request"),
        (effects.NeutraliseMergeRequest, "take what was found out of the merge request"),
        (effects.StartTargetPipeline, "start the repository's own pipeline"),
        (effects.AttachEvidence, "attach pictures to the ticket"),
        (effects.UpdateTicketNote, "update the comment on the ticket"),
        (effects.UpdateMergeRequestNote, "update the note on the merge request"),
        (effects.CommentRefusal, "say on the ticket why nothing was started"),
        (effects.TransitionIssue, "move the ticket"),
        (effects.LinkTicket, "link the ticket"),
    )
}
"""What was to be done, by the kind of the effect."""


def event(kind: str) -> str:
    """Return what an event is called; one of a kind that this version does not know keeps its name."""
    return EVENTS.get(kind, kind)


def effect(kind: str) -> str:
    """Return what an effect is called, in the imperative; one of an unknown kind keeps its name."""
    return EFFECTS.get(kind, kind)
