"""Merge requests of runs, what happened to them, and what people did to them."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver.store.run import remedies
from receiver.store.schema import InterventionRow, MergeRequestEventRow, MergeRequestRow, RunRow
from receiver.workflow.events.merge_request_events import (
    MergeRequestChanged,
    MergeRequestOpened,
    TargetPipelineReleased,
)
from receiver.workflow.events.message_events import NotePosted
from receiver.workflow.events.pipeline_events import PipelineChanged

STATE_ACTIONS = frozenset({"open", "close", "reopen", "merge"})
"""Actions that change a merge request's state (doc/user/project/integrations/webhook_events.md)."""
APPROVALS = frozenset({"approved", "unapproved", "approval", "unapproval"})
RECORDED = STATE_ACTIONS | APPROVALS
"""Actions that are kept for metrics; `update` counts only when it brings a commit that is not ours."""
COMMIT = "commit"
"""Recorded for a head that is not ours, and the kind of the intervention when a person made it."""


async def run_of(session: AsyncSession, event: MergeRequestChanged | NotePosted) -> RunId | None:
    """Return the run that a merge request belongs to: the newest that holds it, else the newest on its branch."""
    known = select(MergeRequestRow.run_id).where(
        MergeRequestRow.project_id == event.project_id, MergeRequestRow.iid == event.iid
    )
    found = await session.scalar(known.order_by(MergeRequestRow.id.desc()).limit(1))
    if found is None and isinstance(event, MergeRequestChanged) and _is_of_our_branch(event):
        # its hook can be here before our own answer to having opened it
        branch = select(RunRow).where(RunRow.branch == event.source_branch).order_by(RunRow.created_at.desc())
        runs = (row for row in await session.scalars(branch) if repository(event, row) is not None)
        found = next((row.id for row in runs), None)
    return None if found is None else RunId(found)


def repository(event: MergeRequestChanged | NotePosted | PipelineChanged, run: RunRow) -> str | None:
    """Return what a run calls the project of a hook before its id is known; GitLab tells paths apart without case."""
    return next((path for path in run.repositories if path.casefold() == event.project.casefold()), None)


def _is_of_our_branch(event: MergeRequestChanged) -> bool:
    """Say whether it comes from a branch of the project itself: a fork can have a branch of the same name."""
    return bool(event.source_branch) and event.source_project_id == event.project_id


async def opened(session: AsyncSession, event: MergeRequestOpened, run: RunRow, *, now: datetime) -> bool:
    """Note that the merge request of a repository exists with our commit at its head.

    The run's branch is the one that was used, once it is known that no repository has another.
    """
    branch = event.branch or run.branch
    row = await session.scalar(_of(run, MergeRequestRow.repository == event.repository))
    before = None if row is None else _known(row)
    if row is None:
        row = MergeRequestRow(run_id=run.id, repository=event.repository, source_branch=branch)
        session.add(row)
    if before is None or before[:2] != (event.project_id, event.iid):  # also in place of one that only a hook told of
        row.project_id, row.iid, row.state, row.opened_at = event.project_id, event.iid, "opened", now
        row.merged_at = row.merge_commit_sha = None
    row.url, row.head_sha, row.seen_head_sha = event.url, event.head_sha, event.head_sha
    row.source_branch = event.branch or row.source_branch
    if event.iteration not in {None, row.iteration}:
        row.rebased_from = ""
    row.iteration = event.iteration or row.iteration
    row.held_back = row.held_back if event.held_back is None else event.held_back
    row.has_reviewer = row.has_reviewer if event.has_reviewer is None else event.has_reviewer
    await session.flush()
    await remedies.shown(session, run, row.repository, state=row.state, now=now)
    if event.same_as is not None:
        await _inherit_approvals(session, row, approved=event.same_as, now=now)
    used = {one.repository: one.source_branch for one in await of_run(session, run.id)}
    if set(run.repositories) <= set(used) and set(used.values()) == {branch}:
        run.branch = branch
    return before != _known(row)


async def _inherit_approvals(session: AsyncSession, row: MergeRequestRow, *, approved: str, now: datetime) -> None:
    """Note the approvals that stand of a commit for the head that has the same tree."""
    told = MergeRequestEventRow
    theirs = select(told).where(told.merge_request_id == row.id, told.action.in_(["approved", "unapproved"]))
    last = {one.actor_id: one for one in await session.scalars(theirs.order_by(told.at, told.id))}
    for one in last.values():
        if one.action == "approved" and one.head_sha == approved:
            session.add(
                MergeRequestEventRow(
                    merge_request_id=row.id,
                    action="approved",
                    actor_id=one.actor_id,
                    actor=one.actor,
                    head_sha=row.head_sha,
                    at=max(one.at, now),
                )
            )
    await session.flush()


def _known(row: MergeRequestRow) -> tuple[object, ...]:
    """Return the columns that our own effects fill; used to detect a change."""
    held = (row.held_back, row.has_reviewer)
    return (row.project_id, row.iid, row.url, row.head_sha, row.source_branch, row.iteration, *held)


async def released(session: AsyncSession, event: TargetPipelineReleased, run: RunRow) -> bool:
    """Note that nothing of ours holds back the repository's own CI; return whether something did."""
    row = await session.scalar(_of(run, MergeRequestRow.repository == event.repository))
    was_held_back = row is not None and row.held_back
    if row is not None:
        row.held_back = False
    return was_held_back


def _of(run: RunRow, *which: ColumnElement[bool]) -> Select[MergeRequestRow]:
    return select(MergeRequestRow).where(MergeRequestRow.run_id == run.id, *which)


async def changed(
    session: AsyncSession, event: MergeRequestChanged, run: RunRow, *, bots: frozenset[int], now: datetime
) -> bool:
    """Note what GitLab says of a merge request; nothing undoes a merge, and no late hook what happened after it.

    `bots` are our GitLab user ids: a commit of anybody else is an intervention. A merge request from a fork, and a
    second one of the run's branch, are not the run's.
    """
    if event.source_project_id not in {None, event.project_id}:
        return False
    if event.at is not None and event.at > now:  # of a clock ahead of ours, or forged: it would hide what comes later
        event = replace(event, at=None)
    at = event.at or now
    this = (MergeRequestRow.project_id == event.project_id, MergeRequestRow.iid == event.iid)
    row = await session.scalar(_of(run, *this))
    is_adopted = row is None
    if row is None:
        row = await _adopted(session, event, run, at=at)
    if row is None:
        return False
    has_moved = await _move(session, event, row, at=at)
    if has_moved:
        await remedies.shown(session, run, row.repository, state=row.state, now=at)
    is_commit = await _commit(session, event, row, run, bots=bots, at=at)
    is_action = event.action in RECORDED and not await _is_recorded(session, event, row)
    if is_action:
        _record(session, event, row, action=event.action, at=at)
    await session.flush()
    return is_adopted or has_moved or is_commit or is_action


async def _adopted(
    session: AsyncSession, event: MergeRequestChanged, run: RunRow, *, at: datetime
) -> MergeRequestRow | None:
    """Take in the merge request of the run's branch before our own answer to having opened it; None: it is another."""
    path = repository(event, run)
    if not _is_of_our_branch(event) or event.source_branch != run.branch or path is None:
        return None
    if await session.scalar(_of(run, MergeRequestRow.repository == path)) is not None:
        return None
    row = MergeRequestRow(
        run_id=run.id,
        repository=path,
        project_id=event.project_id,
        iid=event.iid,
        url="",
        source_branch=event.source_branch,
        state=event.state,
        head_sha="",  # a hook tells the head as it is, not as we made it
        seen_head_sha=event.head_sha,
        opened_at=at,
        merged_at=at if event.state == "merged" else None,
    )
    session.add(row)
    await session.flush()
    return row


async def _move(session: AsyncSession, event: MergeRequestChanged, row: MergeRequestRow, *, at: datetime) -> bool:
    """Store the state of the merge request; ignores the state in an `update` hook. Returns whether the row changed."""
    before = (row.state, row.merge_commit_sha)
    if event.state == "merged":
        row.merge_commit_sha = row.merge_commit_sha or event.merge_commit_sha or None
    if event.action in STATE_ACTIONS and row.state not in {"merged", event.state}:
        told = MergeRequestEventRow.action.in_(STATE_ACTIONS)
        latest = await session.scalar(
            select(func.max(MergeRequestEventRow.at)).where(MergeRequestEventRow.merge_request_id == row.id, told)
        )
        if event.state == "merged" or latest is None or at >= latest:
            row.state, row.merged_at = event.state, at if event.state == "merged" else None
    return before != (row.state, row.merge_commit_sha)


async def _commit(
    session: AsyncSession,
    event: MergeRequestChanged,
    row: MergeRequestRow,
    run: RunRow,
    *,
    bots: frozenset[int],
    at: datetime,
) -> bool:
    """Store a head commit that is not ours. The first hook counts: later ones name who approved or edited."""
    if event.head_sha in {"", row.seen_head_sha, row.head_sha}:
        return False
    known = await session.scalar(
        select(MergeRequestEventRow).where(
            MergeRequestEventRow.merge_request_id == row.id,
            MergeRequestEventRow.action == COMMIT,
            MergeRequestEventRow.head_sha == event.head_sha,
        )
    )
    if known is not None and known.at <= at:
        return False
    if known is None:
        _record(session, event, row, action=COMMIT, at=at)
    else:
        known.at, known.actor_id, known.actor = at, event.actor_id, event.actor
    detail = f"{event.head_sha} on {row.source_branch} in {row.repository}"
    this = (InterventionRow.run_id == run.id, InterventionRow.kind == COMMIT, InterventionRow.detail == detail)
    await session.execute(delete(InterventionRow).where(*this))
    is_rebased = event.actor_id is None and row.rebased_from == row.head_sha != ""  # for us, as far as is known
    if event.actor_id not in bots and not is_rebased:
        session.add(InterventionRow(run_id=run.id, kind=COMMIT, actor=event.actor, detail=detail, at=at))
    return True


async def _is_recorded(session: AsyncSession, event: MergeRequestChanged, row: MergeRequestRow) -> bool:
    """Say whether an action is known. One that was asked for has no time: it is known if it is the person's last."""
    known = MergeRequestEventRow
    theirs = select(known.action, known.head_sha).where(
        known.merge_request_id == row.id, known.actor_id.is_not_distinct_from(event.actor_id)
    )
    this = (event.action, event.head_sha)
    if event.at is not None:
        at_once = await session.execute(theirs.where(known.at == event.at))
        return this in {(one.action, one.head_sha) for one in at_once}
    last = theirs.where(known.action.in_(APPROVALS if event.action in APPROVALS else STATE_ACTIONS))
    found = (await session.execute(last.order_by(known.at.desc(), known.id.desc()).limit(1))).first()
    return found is not None and (found.action, found.head_sha) == this


def _record(
    session: AsyncSession, event: MergeRequestChanged, row: MergeRequestRow, *, action: str, at: datetime
) -> None:
    session.add(
        MergeRequestEventRow(
            merge_request_id=row.id,
            action=action,
            actor_id=event.actor_id,
            actor=event.actor,
            head_sha=event.head_sha,
            at=at,
        )
    )


async def heads(session: AsyncSession, project_id: int, *, branch: str) -> frozenset[str]:
    """Return the commits that runs made on a branch and noted."""
    found = select(MergeRequestRow.head_sha).where(
        MergeRequestRow.project_id == project_id, MergeRequestRow.source_branch == branch
    )
    return frozenset(await session.scalars(found)) - {""}


async def pushers(session: AsyncSession, merge_request: int) -> frozenset[int]:
    """Return who put commits on a merge request's branch that are not ours, as hooks told."""
    told = MergeRequestEventRow
    found = select(told.actor_id).where(told.merge_request_id == merge_request, told.action == COMMIT)
    return frozenset(one for one in await session.scalars(found) if one is not None)


async def of_run(session: AsyncSession, run: str) -> list[MergeRequestRow]:
    """Return the run's merge requests in the order in which they were opened."""
    rows = select(MergeRequestRow).where(MergeRequestRow.run_id == run).order_by(MergeRequestRow.id)
    return list(await session.scalars(rows))
