"""Start the repository's own pipeline for a fix that was held back until somebody approved it.

A commit without `[skip ci]`, which changes nothing, is put on top, and pushing it starts whatever the repository starts
for a push, of a branch or of a merge request. Starting one by the API would leave the mark on the head: it would keep
merge request pipelines from running, and after a fast-forward merge those of the default branch.
"""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from pipelines.language import CommitSha, RunId
from receiver.outbound.effects import commits, rights
from receiver.outbound.effects.commits import SKIP
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.merge_request_effects import title
from receiver.outbound.effects.merge_request_polling import given_after_push
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.repositories_api import MergeRequest
from receiver.store.run import merge_requests, runs
from receiver.store.story import rows
from receiver.workflow.effects import StartTargetPipeline, UpdateMergeRequestNote, UpdateTicketNote
from receiver.workflow.events.merge_request_events import MergeRequestOpened, TargetPipelineReleased
from receiver.workflow.person import Right


async def start(desk: Desk, run: RunId, effect: StartTargetPipeline) -> Performed:
    """Take the mark off the branch's head, if the approval holds. Performed again, it finds the mark gone."""
    async with desk.database.begin() as session:
        facts = await runs.facts(session, run)
        story = await rows.story(session, await runs.find(session, run))
        known = next((m for m in await merge_requests.of_run(session, run) if m.repository == effect.repository), None)
    if known is None:
        return _left(effect, f"{effect.repository} has no merge request of this run.")
    facts = replace(facts, branch=known.source_branch)
    there = await asyncio.to_thread(desk.repositories.merge_request, known.project_id, known.iid)
    head = await asyncio.to_thread(desk.commits.head, known.project_id, facts.branch)
    if head is None or head.sha != there.sha or SKIP not in head.message:
        free = TargetPipelineReleased(repository=effect.repository)
        return Performed(events=() if head is None else (free,), result={"started": head is not None})
    why_not = await asyncio.to_thread(_why_not, desk, there, effect)
    if why_not:
        return _left(effect, f"The pipeline of {effect.repository}!{known.iid} was not started: {why_not}")
    project = await asyncio.to_thread(desk.repositories.project, effect.repository)
    try:
        made = await commits.release(desk, facts, project, head, subject=title(story))
    except RefusedError as error:
        sentence = f"The pipeline of {effect.repository}!{known.iid} was not started: {error} Start it by hand."
        return _left(effect, sentence)
    if made.parents != (head.sha,):
        return Performed(
            events=(TargetPipelineReleased(repository=effect.repository),),
            result={"started": True, "head": made.sha},
            remark=f"Somebody pushed {made.parents[0][:12]} to {effect.repository}!{known.iid} after it was approved. "
            "Nothing of it was overwritten; the repository's own pipeline runs for it, too. It was not tested here.",
            then=_told(effect),
        )
    event = MergeRequestOpened(
        repository=effect.repository,
        project_id=project.id,
        iid=there.iid,
        url=there.url,
        head_sha=CommitSha(made.sha),
        branch=facts.branch,
        held_back=False,
        same_as=CommitSha(head.sha),
    )
    return Performed(events=(event,), result={"started": True, "head": made.sha}, then=_told(effect))


def _why_not(desk: Desk, there: MergeRequest, effect: StartTargetPipeline) -> str:
    """Return why the approval counts for nothing, as GitLab has it now; empty when it counts."""
    if there.state != "opened":
        return f"it is {there.state}."
    if there.sha != effect.head_sha:
        return _ANOTHER if effect.head_sha else _UNKNOWN
    if effect.is_asked:
        return _why_developer_does_not_count(desk, there, effect.approved_by, "asked for it")
    return _why_approver_does_not_count(desk, there, effect.approved_by)


def _why_approver_does_not_count(desk: Desk, there: MergeRequest, user: int) -> str:
    repositories = desk.repositories
    if user == repositories.bot:
        return "our own account approved it, and that counts for nothing."
    given, is_enough = repositories.approvals(there.project_id, there.iid)
    if user not in given:
        return "the approval was taken back."
    if not is_enough:
        return "it needs more approvals."
    if user not in given_after_push(desk, there):  # a hook says of an old one what its sender likes
        return _UNKNOWN
    return _why_developer_does_not_count(desk, there, user, "approved it")


def _why_developer_does_not_count(desk: Desk, there: MergeRequest, user: int, what: str) -> str:
    person = rights.in_project(desk.repositories.users, user, project_id=there.project_id)
    if person.has_any({Right.DEVELOP}):
        return ""
    return person.unknown_because or f"who {what} is no developer of the project."


_ANOTHER = "its branch has another commit than the one that was approved. Approve it again."
_UNKNOWN = (
    "the approval is older than its commit, or it is not known when it was given. "
    "Take the approval back and approve it again."
)


def _left(effect: StartTargetPipeline, sentence: str) -> Performed:
    return Performed(result={"started": False}, remark=sentence, then=_told(effect))


def _told(effect: StartTargetPipeline) -> tuple[UpdateTicketNote | UpdateMergeRequestNote, ...]:
    return UpdateTicketNote(), UpdateMergeRequestNote(repository=effect.repository)
