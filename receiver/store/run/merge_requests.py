"""Merge requests of runs, what happened to them, and what people did to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import any_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver.store.schema import InterventionRow, MergeRequestEventRow, MergeRequestRow, RunRow
from receiver.workflow.events import MergeRequestChanged, MergeRequestOpened, NotePosted

RECORDED = frozenset({"open", "close", "reopen", "approved", "unapproved", "approval", "unapproval", "merge"})
"""Actions that metrics need; `update` counts only when it brings a commit that is not ours."""


async def run_of(session: AsyncSession, event: MergeRequestChanged | NotePosted) -> RunId | None:
    """Return the run that a merge request belongs to: the newest that holds it, else the newest on its branch."""
    known = select(MergeRequestRow.run_id).where(
        MergeRequestRow.project_id == event.project_id, MergeRequestRow.iid == event.iid
    )
    found = await session.scalar(known.order_by(MergeRequestRow.id.desc()).limit(1))
    if found is None and isinstance(event, MergeRequestChanged) and _is_of_our_branch(event):
        # its hook can be here before our own answer to having opened it
        branch = select(RunRow.id).where(
            RunRow.branch == event.source_branch, any_(RunRow.repositories) == event.project
        )
        found = await session.scalar(branch.order_by(RunRow.created_at.desc()).limit(1))
    return None if found is None else RunId(found)


def _is_of_our_branch(event: MergeRequestChanged) -> bool:
    """Say whether it comes from a branch of the project itself: a fork can have a branch of the same name."""
    return bool(event.source_branch) and event.source_project_id == event.project_id


async def opened(session: AsyncSession, event: MergeRequestOpened, run: RunRow, *, now: datetime) -> None:
    """Note that the merge request of a repository exists with our commit at its head.

    The run's branch is the one that was used, once it is known that no repository has another.
    """
    branch = event.branch or run.branch
    row = insert(MergeRequestRow).values(
        run_id=run.id,
        repository=event.repository,
        project_id=event.project_id,
        iid=event.iid,
        url=event.url,
        source_branch=branch,
        state="opened",
        head_sha=event.head_sha,
        seen_head_sha=event.head_sha,
        opened_at=now,
    )
    ours = {"head_sha": event.head_sha, "seen_head_sha": event.head_sha, "iid": event.iid, "url": event.url}
    ours |= {"source_branch": event.branch} if event.branch else {}
    await session.execute(row.on_conflict_do_update(index_elements=["run_id", "repository"], set_=ours))
    used = {one.repository: one.source_branch for one in await of_run(session, run.id)}
    if set(run.repositories) <= set(used) and set(used.values()) == {branch}:
        run.branch = branch


async def changed(
    session: AsyncSession, event: MergeRequestChanged, run: RunRow, *, bot: int | None, now: datetime
) -> None:
    """Note what GitLab says of a merge request; a merge is never undone by a late hook.

    `bot` is our GitLab user id: a commit of anybody else is an intervention. A merge request from a fork, and a second
    one of the run's branch, are not the run's.
    """
    known = select(MergeRequestRow).where(
        MergeRequestRow.run_id == run.id,
        MergeRequestRow.project_id == event.project_id,
        MergeRequestRow.iid == event.iid,
    )
    if event.source_project_id not in {None, event.project_id}:
        return
    row = await session.scalar(known)
    at = event.at or now
    if row is None:
        ours = _is_of_our_branch(event) and event.source_branch == run.branch and event.project in run.repositories
        if not ours:
            return
        adopted = insert(MergeRequestRow).values(
            run_id=run.id,
            repository=event.project,
            project_id=event.project_id,
            iid=event.iid,
            url="",
            source_branch=event.source_branch,
            state=event.state,
            head_sha="",  # a hook tells the head as it is, not as we made it
            seen_head_sha=event.head_sha,
            opened_at=at,
        )
        await session.execute(adopted.on_conflict_do_nothing(index_elements=["run_id", "repository"]))
        row = await session.scalar(known)
        if row is None:
            return
    if row.state != "merged":
        row.state = event.state
        row.merged_at = at if event.state == "merged" else None
    if event.state == "merged" and event.merge_commit_sha:
        row.merge_commit_sha = event.merge_commit_sha
    new_head = bool(event.head_sha) and event.head_sha not in {row.seen_head_sha, row.head_sha}
    if event.action in RECORDED or new_head:
        session.add(
            MergeRequestEventRow(
                merge_request_id=row.id,
                action="commit" if new_head else event.action,
                actor_id=event.actor_id,
                actor=event.actor,
                head_sha=event.head_sha,
                at=at,
            )
        )
    if new_head:
        row.seen_head_sha = event.head_sha
    if new_head and event.actor_id != bot:
        detail = f"{event.head_sha} on {row.source_branch} in {row.repository}"
        session.add(InterventionRow(run_id=run.id, kind="commit", actor=event.actor, detail=detail, at=at))
    await session.flush()


async def approvers(session: AsyncSession, run: str) -> dict[tuple[int, int], dict[int, str]]:
    """Return by project and iid whose approvals of a run's merge requests we were told of, and stand: of which head."""
    event = MergeRequestEventRow
    told = (
        select(MergeRequestRow.project_id, MergeRequestRow.iid, event.actor_id, event.action, event.head_sha)
        .join(MergeRequestRow, MergeRequestRow.id == event.merge_request_id)
        .where(MergeRequestRow.run_id == run, event.action.in_(["approved", "unapproved"]))
        .order_by(event.id)
    )
    last = {(row.project_id, row.iid, row.actor_id): row for row in await session.execute(told)}
    found: dict[tuple[int, int], dict[int, str]] = {}
    for (project_id, iid, actor), row in last.items():
        if row.action == "approved" and actor is not None:
            found.setdefault((project_id, iid), {})[actor] = row.head_sha
    return found


async def heads(session: AsyncSession, project_id: int, *, branch: str) -> frozenset[str]:
    """Return the commits that runs made on a branch and noted."""
    found = select(MergeRequestRow.head_sha).where(
        MergeRequestRow.project_id == project_id, MergeRequestRow.source_branch == branch
    )
    return frozenset(await session.scalars(found)) - {""}


async def of_run(session: AsyncSession, run: str) -> list[MergeRequestRow]:
    """Return the run's merge requests in the order in which they were opened."""
    rows = select(MergeRequestRow).where(MergeRequestRow.run_id == run).order_by(MergeRequestRow.id)
    return list(await session.scalars(rows))
