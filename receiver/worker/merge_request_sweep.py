"""The look at all merge requests of runs: one request for each project says which were changed; those are read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver import limits
from receiver.outbound.errors import OutboundError
from receiver.store.effects import outbox
from receiver.store.run import polled_merge_requests
from receiver.store.run.standing_approvals import Place
from receiver.worker.effect_task import Workshop
from receiver.worker.searches import Search
from receiver.workflow.effects import PollMergeRequest

log = structlog.get_logger()


async def _look(workshop: Workshop, _: datetime | None) -> tuple[int, datetime]:
    """Have each merge request read that was changed. Returns how many were."""
    now = workshop.setting.clock()
    async with workshop.database.begin() as session:
        followed = await polled_merge_requests.followed(session, now=now)
    changed = 0
    for project, iids in requests(followed):
        try:
            found = await asyncio.to_thread(workshop.desk.repositories.merge_requests, project, iids)
        except OutboundError as error:  # a project that is gone must not hide the others
            log.warning("merge_requests.not_read", project=project, reason=str(error))
            continue
        async with workshop.database.begin() as session:
            for one in found:
                # what is young is left to its hook; what was read before is known by the effect's key
                if one.updated_at is not None and one.updated_at <= now - limits.HOOK_ON_ITS_WAY:
                    run = followed[one.project_id, one.iid]
                    wanted = PollMergeRequest(project_id=project, iid=one.iid, updated_at=one.updated_at)
                    changed += await _have_read(session, run, wanted, now=now)
    return changed, now


MERGE_REQUESTS: Final = Search(name=lambda _: "merge_requests", look=_look)


async def _have_read(session: AsyncSession, run: RunId, wanted: PollMergeRequest, *, now: datetime) -> int:
    again_after = limits.TICKET_UNHEARD
    stored = await outbox.store(
        session, run, (wanted,), decision=None, origin="changed", now=now, again_after=again_after
    )
    return len(stored)


def requests(places: Iterable[Place]) -> Iterator[tuple[int, list[int]]]:
    """Yield a project and numbers of its merge requests for each request."""
    for project, of_it in groupby(sorted(places), key=lambda place: place[0]):
        iids = [iid for _, iid in of_it]
        for start in range(0, len(iids), limits.MERGE_REQUESTS_AT_ONCE):
            yield project, iids[start : start + limits.MERGE_REQUESTS_AT_ONCE]
