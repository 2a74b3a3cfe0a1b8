"""How effects are performed: one function for each kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from pipelines.language import RunId
from receiver.outbound.effects import (
    evidence_upload,
    hand_overs,
    merge_request_effects,
    merge_request_polling,
    merging,
    note_reading,
    outcome_watch,
    pipeline_effects,
    polling,
    remedy_offers,
    target_pipeline_start,
    ticket_comments,
    ticket_polling,
    tickets,
)
from receiver.outbound.effects.desk import Desk, Performed
from receiver.workflow.effects import (
    AdmitTicket,
    AnswerComment,
    AnswerNote,
    AnswerRemedy,
    AskReporter,
    AttachEvidence,
    CancelPipeline,
    CheckLabel,
    CommentRefusal,
    Confirm,
    ConfirmStopped,
    Effect,
    HandOver,
    LinkTicket,
    MergeWhenReady,
    NeutraliseMergeRequest,
    OfferTurn,
    OpenDraft,
    OpenMergeRequest,
    PollGitLab,
    PollMergeRequest,
    PollTicket,
    PostPlan,
    ReactToNote,
    ReadComment,
    ReadNote,
    RebaseMergeRequest,
    RefreshTicket,
    RemindTicket,
    SettleReports,
    ShowRemedies,
    StartPipeline,
    StartTargetPipeline,
    TransitionIssue,
    UpdateMergeRequestNote,
    UpdateTicketNote,
    WatchOutcome,
)

Performer = Callable[[Desk, RunId, Any], Awaitable[Performed]]
"""Performs one kind of effect. Raises OutboundError; performing it twice has the result of performing it once."""

PERFORMERS: Final[Mapping[type[Effect], Performer]] = MappingProxyType(
    {
        AdmitTicket: tickets.admit,
        RefreshTicket: tickets.refresh,
        ReadComment: ticket_comments.read,
        ReadNote: note_reading.read,
        ReactToNote: note_reading.react,
        CheckLabel: tickets.check_label,
        PollTicket: ticket_polling.poll,
        AskReporter: ticket_comments.ask,
        PostPlan: ticket_comments.post_plan,
        AnswerComment: ticket_comments.answer,
        AnswerNote: note_reading.answer,
        StartPipeline: pipeline_effects.start,
        OfferTurn: tickets.offer_turn,
        CancelPipeline: pipeline_effects.cancel,
        ConfirmStopped: pipeline_effects.confirm_stopped,
        SettleReports: pipeline_effects.settle,
        PollGitLab: polling.poll,
        Confirm: polling.confirm,
        PollMergeRequest: merge_request_polling.poll,
        OpenMergeRequest: merge_request_effects.open_one,
        OpenDraft: merge_request_effects.open_one,
        NeutraliseMergeRequest: merge_request_effects.neutralise,
        MergeWhenReady: merging.merge_when_ready,
        RebaseMergeRequest: merging.rebase,
        StartTargetPipeline: target_pipeline_start.start,
        ShowRemedies: remedy_offers.show,
        AnswerRemedy: remedy_offers.answer,
        AttachEvidence: evidence_upload.attach,
        UpdateTicketNote: tickets.update_note,
        UpdateMergeRequestNote: merge_request_effects.update_note,
        HandOver: hand_overs.hand_over,
        WatchOutcome: outcome_watch.watch,
        RemindTicket: tickets.remind,
        CommentRefusal: tickets.refuse,
        TransitionIssue: tickets.transition,
        LinkTicket: tickets.link,
    }
)
"""What is said about each kind is in `receiver.workflow.effect_table`."""


async def perform(
    desk: Desk, run: RunId, effect: Effect, *, performers: Mapping[type[Effect], Performer] = PERFORMERS
) -> Performed:
    """Perform an effect by the function for its kind. Raises OutboundError."""
    return await performers[type(effect)](desk, run, effect)
