"""Merge a merge request when everything lets us, and let GitLab rebase one.

Nothing is remembered between two looks but what the run was told: performed again, a look reads everything anew, and
finds what is merged merged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, assert_never

from pipelines.language import CommitSha, ProjectPath, RunId
from receiver.outbound.effects import merge_facts_reading
from receiver.outbound.effects.desk import Desk, Performed
from receiver.outbound.effects.merge_facts_reading import Noted
from receiver.outbound.errors import UnavailableError
from receiver.outbound.gitlab.merging_api import MergeView, Refusal
from receiver.store.run import merge_requests, runs
from receiver.store.schema import MergeRequestRow
from receiver.workflow.effects import MergeWhenReady, RebaseMergeRequest
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import MergeAnswer, MergeJudged, MergeRequestChanged
from receiver.workflow.merging.counted_approvals import counted
from receiver.workflow.merging.judgement import (
    Block,
    Judgement,
    Merge,
    NewAttempt,
    PeopleMerge,
    Rebase,
    Wait,
    judge,
)
from receiver.workflow.run import RunStatus

MAY_NOT_MERGE: Final = frozenset({401, 403})
"""https://docs.gitlab.com/api/merge_requests/#merge-a-merge-request has the codes."""
HEAD_MOVED: Final = 409

MAY_NOT: Final = (
    "GitLab does not let our bot merge into `{branch}`. "
    "Allow it in the settings of protected branches, or merge by hand."
)


async def merge_when_ready(desk: Desk, run: RunId, effect: MergeWhenReady) -> Performed:
    """Look at a merge request, and merge it if all lets us. Raises UnavailableError where GitLab knows in a moment."""
    noted = await _noted(desk, run, effect.repository)
    if noted is None:
        return Performed(result={"answer": "none"}, remark=f"{effect.repository} has no merge request of this run.")
    view = await _view(desk, noted.known)
    if view.state == "merged":
        return await asyncio.to_thread(_merged, desk, noted, view)
    facts = await asyncio.to_thread(merge_facts_reading.read, desk, noted, view)
    judgement = judge(facts)
    if not isinstance(judgement, Merge):
        return _told(noted, view, judgement)
    desk.faults.reach("MergeWhenReady:before_merge")
    ask = desk.merging.board if judgement.by_train else desk.merging.merge
    refusal = await _asked(desk, run, effect, partial(ask, view.project_id, view.iid, sha=judgement.sha))
    desk.faults.reach("MergeWhenReady:after_merge")
    if refusal is not None:
        return await _refused(desk, noted, refusal, judgement)
    view = await _view(desk, noted.known)
    if view.state == "merged":
        return await asyncio.to_thread(_merged, desk, noted, view, judgement.approved_by)
    if judgement.by_train:
        sentence = "It is approved and green, and goes on the merge train."
        return _answer(noted, view, MergeAnswer.BOARDED, sentence, approved_by=judgement.approved_by)
    raise UnavailableError("GitLab is still merging it.")


async def rebase(desk: Desk, run: RunId, effect: RebaseMergeRequest) -> Performed:
    """Let GitLab rebase a merge request. Performed again, it finds another head, or that GitLab is at it."""
    noted = await _noted(desk, run, effect.repository)
    if noted is None:
        return Performed(result={"asked": False})
    view = await _view(desk, noted.known)
    if view.state != "opened" or view.sha != effect.head_sha or view.is_rebasing:
        return Performed(result={"asked": False})
    refusal = await _asked(desk, run, effect, partial(desk.merging.rebase, view.project_id, view.iid))
    if not isinstance(refusal, Refusal):
        return Performed(result={"asked": refusal is None})
    sentence = f"GitLab does not rebase it ({refusal.code}: {refusal.text}) Rebase it by hand."
    return _answer(noted, view, MergeAnswer.BLOCKED, sentence)


async def _asked(
    desk: Desk, run: RunId, effect: MergeWhenReady | RebaseMergeRequest, ask: Callable[[], Refusal | None]
) -> Refusal | RunStatus | None:
    """Ask GitLab for it while the run is held in review; return why not, or in which status the run is instead.

    Whoever pauses or cancels meanwhile does so after GitLab's answer.
    """
    async with desk.database.begin() as session:
        row = await runs.hold(session, run)
        if (row.status, row.iteration) != (RunStatus.IN_REVIEW, effect.iteration):
            return RunStatus(row.status)
        return await asyncio.to_thread(ask)


async def _noted(desk: Desk, run: RunId, repository: ProjectPath) -> Noted | None:
    async with desk.database.begin() as session:
        row = await runs.find(session, run)
        known = next((one for one in await merge_requests.of_run(session, run) if one.repository == repository), None)
        if known is None:
            return None
        return Noted(
            run=await runs.load(session, row),
            catalogue=runs.catalogue_of(row) or desk.catalogue(),
            known=known,
            pushers=await merge_requests.pushers(session, known.id),
        )


async def _view(desk: Desk, known: MergeRequestRow) -> MergeView:
    return await asyncio.to_thread(desk.merging.view, known.project_id, known.iid)


async def _refused(desk: Desk, noted: Noted, refusal: Refusal | RunStatus, wanted: Merge) -> Performed:
    """Follow what GitLab says now that it did not merge: it looks at more than it told before."""
    if isinstance(refusal, RunStatus):
        return Performed(result={"answer": "none"}, remark=f"Nothing was merged: the run went on, and is {refusal}.")
    view = await _view(desk, noted.known)
    if view.state == "merged":
        return await asyncio.to_thread(_merged, desk, noted, view)
    if refusal.code in MAY_NOT_MERGE:
        return _told(noted, view, Block(sentence=MAY_NOT.format(branch=view.target_branch)))
    judgement = judge(await asyncio.to_thread(merge_facts_reading.read, desk, noted, view))
    if not isinstance(judgement, Merge):
        return _told(noted, view, judgement)
    if refusal.code == HEAD_MOVED or judgement.sha != wanted.sha:
        raise UnavailableError("Its head moved while it was to be merged.")
    why = view.merge_error or refusal.text
    return _told(noted, view, Block(sentence=f"GitLab did not merge it ({refusal.code}: {why}) Merge it by hand."))


def _told(noted: Noted, view: MergeView, judgement: Judgement) -> Performed:
    match judgement:
        case Wait(is_short=True):
            raise UnavailableError(judgement.why)
        case Wait():
            return _answer(noted, view, MergeAnswer.WAITS, judgement.why)
        case Block():
            return _answer(noted, view, MergeAnswer.BLOCKED, judgement.sentence)
        case Rebase():
            return _answer(noted, view, MergeAnswer.REBASE, judgement.sentence)
        case NewAttempt():
            return _answer(noted, view, MergeAnswer.CONFLICT, judgement.sentence)
        case PeopleMerge():
            return _answer(noted, view, MergeAnswer.PEOPLE, judgement.why)
        case Merge():
            raise TypeError(judgement)  # is performed, not told
        case never:
            assert_never(never)


def _answer(
    noted: Noted, view: MergeView, answer: MergeAnswer, sentence: str, *, approved_by: tuple[str, ...] = ()
) -> Performed:
    """Return what a look ended with; what the run was told before is not told again."""
    known = noted.known
    result = {"answer": str(answer), "why": sentence, "head": view.sha}
    if (known.merge_answer, known.merge_sentence, known.merge_head_sha) == (answer, sentence, view.sha):
        return Performed(result=result)
    return Performed(events=(_event(noted, view, answer, sentence, approved_by),), result=result)


def _event(
    noted: Noted, view: MergeView, answer: MergeAnswer, sentence: str, approved_by: tuple[str, ...]
) -> MergeJudged:
    return MergeJudged(
        repository=ProjectPath(noted.known.repository),
        iid=view.iid,
        answer=answer,
        sentence=sentence,
        head_sha=CommitSha(view.sha),
        approved_by=approved_by,
    )


def _merged(desk: Desk, noted: Noted, view: MergeView, approved_by: tuple[str, ...] = ()) -> Performed:
    """Tell of a merge as its hook would; of one that was ours, also whose approvals counted."""
    known = noted.known
    told: list[Event] = []
    if view.merged_by == desk.merging.bot and known.merge_answer != MergeAnswer.MERGED:
        if not approved_by:  # we died after the merge: what stood then stands, for nobody approves what is merged
            facts = merge_facts_reading.read(desk, noted, view)
            approved_by = tuple(one.name for one in counted(facts)) or tuple(known.merge_approved_by)
        who = f" {' and '.join(approved_by)} approved it." if approved_by else ""
        told.append(_event(noted, view, MergeAnswer.MERGED, f"We merged {view.sha[:12]}.{who}", approved_by))
    if known.state != "merged":
        told.append(
            MergeRequestChanged(
                project_id=view.project_id,
                project=ProjectPath(known.repository),
                iid=view.iid,
                action="merge",
                state="merged",
                source_branch=view.source_branch,
                head_sha=view.sha,
                actor_id=view.merged_by,
                actor=view.merged_by_name,
                at=None,
                merge_commit_sha=view.merge_commit_sha,
            )
        )
    return Performed(events=tuple(told), result={"answer": str(MergeAnswer.MERGED), "head": view.sha})
