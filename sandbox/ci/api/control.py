"""The engine's own routes below `/_sandbox/`: hold and release jobs, wait until nothing moves.

GitLab has none of them.
"""

import asyncio

import msgspec

from sandbox.ci.instance.instance import Ci
from sandbox.http import HttpError, Request, Response, Route


class Pattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which jobs: a name, or a shell pattern over names."""

    pattern: str = "*"


def _pattern(request: Request) -> str:
    try:
        return msgspec.json.decode(request.body or b"{}", type=Pattern).pattern
    except msgspec.DecodeError as error:
        raise HttpError(400, {"error": str(error)}) from error


def hold(ci: Ci, request: Request) -> Response:
    """Keep jobs of these names pending, those too that are not there yet."""
    ci.engine.holds.add(_pattern(request))
    return Response.json({"holds": sorted(ci.engine.holds)})


def release(ci: Ci, request: Request) -> Response:
    """Let them run; without a pattern, all of them."""
    pattern = _pattern(request)
    ci.engine.release(pattern)
    return Response.json({"holds": sorted(ci.engine.holds)})


async def settled(ci: Ci, request: Request) -> Response:
    """Wait until nothing moves by itself: all jobs are done, held, or wait for a person; 504 after `timeout_s`."""
    try:
        async with asyncio.timeout(float(request.arg("timeout_s", "60"))):
            await ci.engine.until(ci.engine.quiet)
    except (TimeoutError, ValueError) as error:
        raise HttpError(504, {"error": "jobs are still running", **ci.dump()}) from error
    return Response.json(ci.dump())


ROUTES = (
    Route("POST", "/_sandbox/jobs/hold", hold, params=("pattern",)),
    Route("POST", "/_sandbox/jobs/release", release, params=("pattern",)),
    Route("GET", "/_sandbox/jobs/settled", settled, query=("timeout_s",)),
)
