"""Routes that turn faults on, list them and turn them off, below `/_sandbox/faults` of an emulated vendor."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from sandbox.faults.hook_faults import HookFault, HookFaults
from sandbox.faults.request_faults import PageSize, RateLimit, RequestFault, RequestFaults
from sandbox.http import Body, HttpError, Request, Response, Route


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /_sandbox/faults`; what is given is added to what is on."""

    requests: list[RequestFault] = []
    hooks: list[HookFault] = []
    rate_limit: RateLimit | None = None
    page_size: PageSize | None = None


@dataclass(frozen=True, kw_only=True)
class Faults:
    """All that goes wrong with one vendor."""

    requests: RequestFaults = field(default_factory=RequestFaults)
    hooks: HookFaults = field(default_factory=HookFaults)


def add(faults: Faults, request: Request) -> Response:
    """Turn switches on."""
    try:
        wanted = msgspec.json.decode(request.body, type=Wanted)
    except msgspec.DecodeError as error:
        raise HttpError(400, {"error": str(error)}) from error
    for one in wanted.requests:
        faults.requests.add(one)
    for hook in wanted.hooks:
        faults.hooks.add(hook)
    faults.requests.rate_limit = wanted.rate_limit or faults.requests.rate_limit
    faults.requests.page_size = wanted.page_size or faults.requests.page_size
    return listed(faults, request)


def listed(faults: Faults, _: Request) -> Response:
    """List the switches that are on."""
    requests = faults.requests
    switches = {"rate_limit": requests.rate_limit, "page_size": requests.page_size}
    return Response.json({"requests": requests.active(), "hooks": faults.hooks.active(), **switches})


def clear(faults: Faults, _: Request) -> Response:
    """Turn all switches off; hooks that waited behind others are sent."""
    faults.requests.clear()
    faults.hooks.clear()
    return Response(status=204)


ROUTES: Final[tuple[Route[Faults], ...]] = (
    Route("POST", "/_sandbox/faults", add, body=Body.FREE),
    Route("GET", "/_sandbox/faults", listed),
    Route("DELETE", "/_sandbox/faults", clear),
)
