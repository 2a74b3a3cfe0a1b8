"""Decide what happens to a run's merge requests: opened by us, merged or closed by people. Performs no I/O."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from pipelines.language.catalogue import Catalogue
from pipelines.language.policy import TargetPipeline
from receiver.workflow import lifecycle
from receiver.workflow.effects import (
    AttachEvidence,
    Effect,
    HandOver,
    LinkTicket,
    NeutraliseMergeRequest,
    PollGitLab,
    StartTargetPipeline,
    UpdateMergeRequestNote,
    UpdateTicketNote,
)
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.events.merge_request_events import (
    MergeRequestChanged,
    MergeRequestOpened,
    PicturesAttached,
    TargetPipelineReleased,
)
from receiver.workflow.events.pipeline_events import PipelineChanged
from receiver.workflow.lifecycle import Progress
from receiver.workflow.outcomes import HELD, acted, ended, ignored, moved, noted, tell
from receiver.workflow.run import Decision, Learned, MergeRequestView, Run, RunStatus
from receiver.workflow.stages import merge_stage, remedy_stage
from receiver.workflow.stages.start import transition


def opened(event: MergeRequestOpened, run: Run, *, learned: Learned, catalogue: Catalogue, now: datetime) -> Decision:
    """Wait for people once every repository has its merge request."""
    name = f"{event.repository}!{event.iid}"
    link = LinkTicket(global_id=link_id(run.id, event.repository), url=event.url, title=f"Bug fix {name}")
    note: tuple[Effect, ...] = (UpdateMergeRequestNote(repository=event.repository),)
    if not run.audience.is_public:  # it may have become so while the merge request was being opened
        note = (NeutraliseMergeRequest(repository=event.repository), *note)
    # everybody who sees the ticket sees its attachments
    shown = AttachEvidence(iteration=run.iteration, repository=event.repository)
    evidence = (shown,) if run.audience.is_public else ()
    offered = remedy_stage.looks(run, event.repository)
    if run.status is not RunStatus.OPENING and not learned.is_new:
        return noted(f"{name} is known to be open; the run is {run.status}.")
    if run.status is RunStatus.ESCALATED:  # the hand-over says where the partial work is
        return acted(f"{name} is open; the run is {run.status}.", link, *note, *offered, HandOver())
    if run.status is not RunStatus.OPENING:
        return acted(f"{name} is open; the run is {run.status}.", link, *note, *offered)
    have = {m.repository for m in run.merge_requests if m.confirmed and m.iteration in {None, run.iteration}}
    if not have.issuperset(run.repositories):
        return acted(f"{name} is open; others are still to come.", link, *note, *evidence, *offered)
    names = ", ".join(f"{m.repository}!{m.iid}" for m in run.merge_requests)
    waits = f"{names} {'waits' if len(run.merge_requests) == 1 else 'wait'} for review."
    return moved(
        run,
        RunStatus.PAUSED if run.is_held else RunStatus.IN_REVIEW,  # nothing is merged while it is held
        f"{waits} {HELD}" if run.is_held else waits,
        link,
        *note[:-1],
        *evidence,
        *offered,
        *transition(catalogue.jira.transitions.review),
        # hooks that came before we knew the merge request were ignored
        PollGitLab(iteration=run.iteration),
        now=now,
    )


def changed(event: MergeRequestChanged, run: Run, *, learned: Learned, catalogue: Catalogue, now: datetime) -> Decision:
    """End the run when people merged or closed all of it.

    The hook's path says nothing: a project may be called otherwise by now, or be written in another case.
    """
    this = (event.project_id, event.iid)
    known = next((m for m in run.merge_requests if (m.project_id, m.iid) == this), None)
    if known is None:
        return ignored(f"{event.project}!{event.iid} is not a merge request of run {run.id}.")
    name = f"{known.repository}!{event.iid}"
    is_approval = event.action in {"approved", "approval"} and event.state == "opened"
    look = merge_stage.wanted(run, known.repository, catalogue) if is_approval else ()
    if event.state == "opened":
        look = (*look, *remedy_stage.looks(run, known.repository))
    if run.status is RunStatus.ESCALATED and _is_push(event, known) and learned.is_new and learned.is_of_person:
        return _taken_up(event, run, name, *look, catalogue=catalogue, now=now)
    is_heard = event.action == "approved" and event.state == "opened" and event.actor_id is not None
    if is_heard and learned.is_new and _may_wait(run.status, catalogue):
        return _may_run(event, run, known, name, *look)
    states = {m.state for m in run.merge_requests}
    end = _END.get(frozenset(states))
    if end is None or end not in lifecycle.MOVES[run.status]:
        reason = f"{name}: {event.action} by {event.actor or 'somebody'}; it is {event.state}."
        shown = (*tell(run), *look) if event.action in _SHOWN and learned.is_new else look
        return acted(reason, *shown) if shown else noted(reason)
    if end is RunStatus.MERGED:
        effects = transition(catalogue.jira.transitions.merged)
        merged = EndReason(code=EndCode.MERGED, sentence=f"{event.actor or 'Somebody'} merged {name}.")
        return ended(run, end, merged, *effects, now=now)
    reason = f"{event.actor or 'Somebody'} closed {name} without merging. Set the label again for a new run."
    return ended(run, end, EndReason(code=EndCode.CLOSED, sentence=reason), now=now)


def _is_push(event: MergeRequestChanged, known: MergeRequestView) -> bool:
    return (event.action, event.state) == ("update", "opened") and event.head_sha not in {"", known.head_sha}


def _taken_up(
    event: MergeRequestChanged, run: Run, name: str, *look: Effect, catalogue: Catalogue, now: datetime
) -> Decision:
    """Let people go on with a merge request of a run that they got: it is reviewed as any, and they merge it."""
    return moved(
        run,
        RunStatus.PAUSED if run.is_held else RunStatus.IN_REVIEW,
        f"{event.actor or 'Somebody'} pushed to {name} and goes on with it. {HELD if run.is_held else ''}".strip(),
        *look,
        *transition(catalogue.jira.transitions.review),
        now=now,
    )


def _may_run(event: MergeRequestChanged, run: Run, known: MergeRequestView, name: str, *look: Effect) -> Decision:
    """Start the repository's own pipeline, which waited for an approval."""
    start_it = StartTargetPipeline(
        iteration=run.iteration, repository=known.repository, head_sha=event.head_sha, approved_by=event.actor_id or 0
    )
    who = event.actor or "Somebody"
    if event.head_sha:
        return acted(f"{who} approved {name}: its own pipeline may run.", start_it, *look)
    # performed all the same: it says on the merge request what to do
    said = f"{who} approved {name}, but not this commit as far as is known: approve it again."
    return acted(said, start_it, *look)


def _may_wait(status: RunStatus, catalogue: Catalogue) -> bool:
    """Say whether the repositories' own pipelines may wait for an approval now."""
    is_held_back = catalogue.policy.target_pipeline is TargetPipeline.SKIP_UNTIL_APPROVED
    return is_held_back and status in {RunStatus.IN_REVIEW, RunStatus.ESCALATED}


def followed(decision: Decision, run: Run | None, *, catalogue: Catalogue) -> Decision:
    """Return a decision with the pipelines that may start because people approved before the run waited for them."""
    if run is None or decision.status in {None, run.status} or not _may_wait(decision.status, catalogue):
        return decision
    number = run.iteration if decision.attempt is None else decision.attempt.number
    begun = (
        StartTargetPipeline(iteration=number, repository=one.repository, head_sha=one.head_sha, approved_by=user)
        for one in run.merge_requests
        for user in one.approved_by
    )
    return replace(decision, effects=(*decision.effects, *begun))


def is_target_pipeline(event: PipelineChanged, run: Run) -> bool:
    """Say whether a pipeline is one of a repository's own, about a merge request of the run, and none of the run's."""
    is_ours = any(p.pipeline in {event.pipeline, event.parent} for p in run.pipelines)
    return not is_ours and any(m.project_id == event.project_id for m in run.merge_requests)


def target_pipeline(event: PipelineChanged, run: Run, *, learned: Learned, catalogue: Catalogue) -> Decision:
    """Keep what the repository's own CI says of a fix; its end is shown."""
    repository = next(m.repository for m in run.merge_requests if m.project_id == event.project_id)
    name = f"Pipeline {event.pipeline} of {repository} itself"
    if not lifecycle.is_over(event.status) or not learned.is_new:
        return noted(f"{name} is {event.status.replace('_', ' ')}.")
    note = UpdateMergeRequestNote(repository=repository)
    is_green = lifecycle.meaning(event.status).progress is Progress.SUCCEEDED
    look = merge_stage.wanted(run, repository, catalogue) if is_green else ()
    return acted(f"{name} ended as {event.status}.", UpdateTicketNote(), note, *look)


def released(event: TargetPipelineReleased) -> Decision:
    """Tell that nothing holds back the repository's own CI any more."""
    note = UpdateMergeRequestNote(repository=event.repository)
    return acted(f"Nothing holds back the own pipeline of {event.repository}.", UpdateTicketNote(), note)


def pictured(event: PicturesAttached) -> Decision:
    """Show the pictures in the ticket's comment."""
    count = "1 picture" if len(event.files) == 1 else f"{len(event.files)} pictures"
    return acted(f"{count} of {event.repository} attached to the ticket.", UpdateTicketNote())


def link_id(run: str, repository: str) -> str:
    """Return the id by which a ticket's link to a merge request is known."""
    return f"bug-fix:{run}:merge_request:{repository}"


_SHOWN = frozenset({"close", "reopen", "merge"})
"""Actions after which the notes would say something else, also those of linked merge requests."""

_END: dict[frozenset[str], RunStatus] = {
    frozenset({"merged"}): RunStatus.MERGED,
    frozenset({"closed"}): RunStatus.CLOSED,
    frozenset({"merged", "closed"}): RunStatus.CLOSED,
}
"""States of all the run's merge requests that end it."""
