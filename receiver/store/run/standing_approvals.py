"""Approvals of a run's merge requests that stand, as far as we were told. Reads only."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from receiver.store.schema import MergeRequestEventRow, MergeRequestRow

Place = tuple[int, int]
"""A project's id and a merge request's number in it."""


class Approval(Struct, frozen=True, kw_only=True):
    """An approval that stands."""

    name: str
    """Of who gave it."""
    head_sha: str
    """Of which commit; empty: not known."""


async def of_run(session: AsyncSession, run: str) -> dict[Place, dict[int, Approval]]:
    """Return by merge request the approvals that stand, by GitLab's id of the user who gave them."""
    event = MergeRequestEventRow
    columns = (event.actor_id, event.actor, event.action, event.head_sha)
    told = (
        select(MergeRequestRow.project_id, MergeRequestRow.iid, *columns)
        .join(MergeRequestRow, MergeRequestRow.id == event.merge_request_id)
        .where(MergeRequestRow.run_id == run, event.action.in_(["approved", "unapproved"]))
        .order_by(event.at, event.id)
    )
    last = {(row.project_id, row.iid, row.actor_id): row for row in await session.execute(told)}
    found: dict[Place, dict[int, Approval]] = {}
    for (project_id, iid, actor), row in last.items():
        if row.action == "approved" and actor is not None:
            found.setdefault((project_id, iid), {})[actor] = Approval(name=row.actor, head_sha=row.head_sha)
    return found
