"""Perform an effect: which function does it."""

from __future__ import annotations

from typing import assert_never

from pipelines.language import RunId
from receiver.outbound.effects import (
    evidence_upload,
    merge_request_effects,
    pipeline_effects,
    polling,
    target_pipeline_start,
    ticket_comments,
    tickets,
)
from receiver.outbound.effects.desk import Desk, Performed
from receiver.workflow.effects import (
    AdmitTicket,
    AnswerComment,
    AskReporter,
    AttachEvidence,
    CancelPipeline,
    CommentRefusal,
    Effect,
    LinkTicket,
    NeutraliseMergeRequest,
    OpenMergeRequest,
    PollGitLab,
    PollTicket,
    PostPlan,
    ReadComment,
    RefreshTicket,
    SettleReports,
    StartPipeline,
    StartTargetPipeline,
    TransitionIssue,
    UpdateMergeRequestNote,
    UpdateTicketNote,
)


async def perform(  # noqa: C901, PLR0911, PLR0912  # a table over the effects
    desk: Desk, run: RunId, effect: Effect
) -> Performed:
    """Perform an effect. Raises OutboundError; performing it again leaves the world as performing it once does."""
    match effect:
        case AdmitTicket():
            return await tickets.admit(desk, run, effect)
        case RefreshTicket():
            return await tickets.refresh(desk, run, effect)
        case ReadComment():
            return await ticket_comments.read(desk, run, effect)
        case PollTicket():
            return await ticket_comments.poll(desk, run)
        case AskReporter():
            return await ticket_comments.ask(desk, run, effect)
        case PostPlan():
            return await ticket_comments.post_plan(desk, run, effect)
        case AnswerComment():
            return await ticket_comments.answer(desk, run, effect)
        case StartPipeline():
            return await pipeline_effects.start(desk, run, effect)
        case CancelPipeline():
            return await pipeline_effects.cancel(desk, effect)
        case SettleReports():
            return await pipeline_effects.settle(desk, run, effect)
        case PollGitLab():
            return await polling.poll(desk, run, effect)
        case OpenMergeRequest():
            return await merge_request_effects.open_one(desk, run, effect)
        case NeutraliseMergeRequest():
            return await merge_request_effects.neutralise(desk, run, effect)
        case StartTargetPipeline():
            return await target_pipeline_start.start(desk, run, effect)
        case AttachEvidence():
            return await evidence_upload.attach(desk, run, effect)
        case UpdateTicketNote():
            return await tickets.update_note(desk, run, effect)
        case UpdateMergeRequestNote():
            return await merge_request_effects.update_note(desk, run, effect)
        case CommentRefusal():
            return await tickets.refuse(desk, run, effect)
        case TransitionIssue():
            return await tickets.transition(desk, run, effect)
        case LinkTicket():
            return await tickets.link(desk, run, effect)
        case never:
            assert_never(never)
