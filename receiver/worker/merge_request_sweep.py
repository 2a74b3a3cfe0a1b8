"""The look at all merge requests of runs: one request for each project says which were changed; those are read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from pipelines.language import RunId
from receiver import limits
from receiver.outbound.errors import OutboundError
from receiver.store.deliveries import cursors
from receiver.store.effects import outbox
from receiver.store.run import polled_merge_requests
from receiver.store.run.polled_merge_requests import Place
from receiver.worker.effect_task import Workshop
from receiver.workflow.effects import PollMergeRequest

CURSOR = "merge_requests"

log = structlog.get_logger()


async def sweep_merge_requests(workshop: Workshop) -> int:
    """Have each merge request read that was changed, unless another worker just looked. Returns how many were."""
    async with workshop.database.exclusive(CURSOR) as is_ours:
        return await _look(workshop) if is_ours else 0


async def _look(workshop: Workshop) -> int:
    now = workshop.setting.clock()
    async with workshop.database.begin() as session:
        looked = await cursors.read(session, CURSOR)
        if looked is not None and now - looked < limits.POLLED_BY_ANOTHER:
            return 0
        await cursors.move(session, CURSOR, to=now)
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
    return changed


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
