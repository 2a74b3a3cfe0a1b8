"""Runs for programs: the list, a run's whole story, deliveries by verdict. Reads; changes nothing."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from receiver.store.deliveries import stored_deliveries
from receiver.store.run import runs
from receiver.store.run.runs import NoSuchRunError
from receiver.store.story import overview, rows
from receiver.store.story.overview import Listed
from receiver.web.access import guard
from receiver.web.problems import problem
from receiver.web.services import Services


@get("/api/runs", guards=[guard])
async def list_runs(
    services: NamedDependency[Services],
    issue_key: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
) -> list[Listed]:
    """List the newest runs, newest first; of one ticket only when its key is given."""
    async with services.database.begin() as session:
        return await overview.recent(session, limit=limit, issue_key=issue_key)


@get("/api/runs/{name:str}", guards=[guard])
async def read_run(services: NamedDependency[Services], name: FromPath[str]) -> Response[bytes]:
    """Tell the story of a run, named by its id or by its ticket's key."""
    try:
        async with services.database.begin() as session:
            told = await rows.story(session, await runs.find(session, name))
    except NoSuchRunError as error:
        return problem(404, str(error))
    return Response(msgspec.json.encode(told), media_type="application/json")


@get("/api/deliveries/verdicts", guards=[guard])
async def read_verdicts(services: NamedDependency[Services]) -> dict[str, int]:
    """Count deliveries by verdict; those that wait for one are `waiting`."""
    async with services.database.begin() as session:
        return await stored_deliveries.by_verdict(session)


HANDLERS = [list_runs, read_run, read_verdicts]
