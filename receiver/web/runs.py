"""Runs for programs: the list, a run's whole story, deliveries by verdict. Reads; changes nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Struct

from receiver.store import deliveries, stories
from receiver.store.runs import NoSuchRunError
from receiver.store.schema import RunRow
from receiver.web.problems import problem
from receiver.web.reading import guard
from receiver.web.services import Services


class Listed(Struct, frozen=True, kw_only=True):
    """A run in the list."""

    id: str
    issue_key: str
    summary: str
    status: str
    iteration: int
    reason: str
    created_at: datetime
    finished_at: datetime | None


def listed(row: RunRow) -> Listed:
    """Return a run's row as the list shows it."""
    return Listed(
        id=row.id,
        issue_key=row.issue_key,
        summary=str((row.ticket or {}).get("summary", "")),
        status=row.status,
        iteration=row.iteration,
        reason=row.reason,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


@get("/api/runs", guards=[guard])
async def list_runs(
    services: NamedDependency[Services],
    issue_key: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
) -> list[Listed]:
    """List the newest runs, newest first; of one ticket only when its key is given."""
    async with services.database.begin() as session:
        rows = await stories.recent(session, limit=limit, issue_key=issue_key)
    return [listed(row) for row in rows]


@get("/api/runs/{name:str}", guards=[guard])
async def read_run(services: NamedDependency[Services], name: FromPath[str]) -> Response[bytes]:
    """Tell the story of a run, named by its id or by its ticket's key."""
    try:
        async with services.database.begin() as session:
            told = await stories.story(session, await stories.find(session, name))
    except NoSuchRunError as error:
        return problem(404, str(error))
    return Response(msgspec.json.encode(told), media_type="application/json")


@get("/api/deliveries/verdicts", guards=[guard])
async def read_verdicts(services: NamedDependency[Services]) -> dict[str, int]:
    """Count deliveries by verdict; those that wait for one are `waiting`."""
    async with services.database.begin() as session:
        return await deliveries.by_verdict(session)


HANDLERS = [list_runs, read_run, read_verdicts]
