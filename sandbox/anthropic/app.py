"""The emulator's routes: Anthropic's own, and under `/_sandbox/` the controls that only a sandbox has."""

import secrets
import string
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import msgspec

from sandbox.anthropic import wire
from sandbox.anthropic.billing import Row, Status, report
from sandbox.anthropic.clock import Clock, Pace
from sandbox.anthropic.connection import Watched
from sandbox.anthropic.emulator import Emulator, admit, authenticate, measure, refuse, respond
from sandbox.anthropic.errors import ApiError, Kind, invalid, payload
from sandbox.anthropic.faults import Fault, Hold
from sandbox.anthropic.page import page
from sandbox.anthropic.parse import parse
from sandbox.anthropic.rules import find_model
from sandbox.http import Application, Body, Handler, HttpError, Request, Response, Route, Router
from sandbox.scenario_format import Scenario

_ALPHABET: Final = string.ascii_letters + string.digits
_REQUEST_ID: Final = "x-sandbox-request-id"
_BETAS: Final = frozenset(
    {
        "extended-cache-ttl-2025-04-11",
        "prompt-caching-2024-07-31",
        "structured-outputs-2025-11-13",
        "token-counting-2024-11-01",
    }
)
"""Betas that have become part of the API: accepted, and without effect."""


def _random_id(prefix: str) -> str:
    return f"{prefix}_01{''.join(secrets.choice(_ALPHABET) for _ in range(22))}"


def _system_clock() -> datetime:
    return datetime.now(UTC)


def create(
    scenario: Scenario,
    *,
    api_keys: Collection[str],
    now: Callable[[], datetime] = _system_clock,
    new_id: Callable[[str], str] = _random_id,
    pace: Pace = Pace.REAL,
) -> Watched:
    """Make the ASGI application that plays a scenario; `new_id` gets a prefix (`req`, `msg`, `toolu`)."""
    emulator = Emulator(scenario, api_keys=frozenset(api_keys), clock=Clock(now, pace=pace), new_id=new_id)
    router = _Router("Anthropic")
    router.include(emulator, ROUTES)
    return Watched(Application(router, middleware=[_vendor(emulator)]), emulator=emulator)


def _vendor(emulator: Emulator) -> Callable[[Request, Handler], Awaitable[Response]]:
    """Give each answer below `/v1/` its request id, and each error Anthropic's shape."""

    async def call(request: Request, handler: Handler) -> Response:
        if not request.path.startswith("/v1/"):
            return await handler(request)
        request_id = emulator.new_id("req")
        try:
            response = await handler(replace(request, headers={**request.headers, _REQUEST_ID: request_id}))
        except ApiError as error:
            body = payload(error.kind, error.message, request_id)
            retry = {} if error.retry_after is None else {"retry-after": f"{error.retry_after:g}"}
            response = Response.json(body, status=error.kind.status, headers=retry)
        return replace(response, headers={**response.headers, "request-id": request_id})

    return call


class _Router(Router):
    """The router, whose own refusals below `/v1/` (unknown route, unknown parameter) are Anthropic's errors."""

    async def __call__(self, request: Request) -> Response:
        try:
            return await super().__call__(request)
        except HttpError as error:
            if not request.path.startswith("/v1/") or not isinstance(error.payload, dict):
                raise
            kind = Kind.NOT_FOUND if error.status == 404 else Kind.INVALID_REQUEST
            raise ApiError(kind, str(error.payload.get("error"))) from error


def _check_headers(emulator: Emulator, request: Request) -> str:
    """Check version, key and betas; return the key's fingerprint."""
    key = authenticate(emulator, request.headers)
    if not request.headers.get("anthropic-version"):
        raise invalid("anthropic-version: header is required")
    for beta in request.headers.get("anthropic-beta", "").split(","):
        if beta.strip() and beta.strip() not in _BETAS:
            raise invalid(f"anthropic-beta: {beta.strip()!r} is not emulated by this sandbox")
    return key


async def _messages(emulator: Emulator, request: Request) -> Response:
    row = Row(request_id=request.headers[_REQUEST_ID], at=emulator.clock.now(), status=Status.REFUSED, http_status=200)
    try:
        row = msgspec.structs.replace(row, key=_check_headers(emulator, request))
        return await respond(emulator, admit(emulator, parse(request.body, wire.CreateRequest), row))
    except ApiError as error:
        refuse(emulator, row, error)
        raise


def _count_tokens(emulator: Emulator, request: Request) -> Response:
    _check_headers(emulator, request)
    parsed = parse(request.body, wire.CountRequest)
    positions = measure(parsed, find_model(parsed.request.model))
    return Response.json({"input_tokens": positions[-1].tokens})


T = TypeVar("T")


def _control(request: Request, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(request.body, type=shape)
    except msgspec.DecodeError as error:
        raise HttpError(400, {"error": f"{request.path}: {error}"}) from error


class _Advance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    advance_s: Annotated[float, msgspec.Meta(ge=0)]


class _Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    concurrent: Annotated[int, msgspec.Meta(ge=1)] | None


def _books(emulator: Emulator, request: Request) -> Response:
    return Response.json(report(emulator.books.rows(issue=request.arg("issue"))))


def _received(emulator: Emulator, _request: Request) -> Response:
    return Response.json(emulator.received.dump())


def _state(emulator: Emulator, _request: Request) -> Response:
    faults = emulator.faults
    return Response.json(
        {
            "scenario": emulator.scenario.name,
            "now": emulator.clock.now(),
            "advanced_s": emulator.clock.offset.total_seconds(),
            "faults": faults.pending(),
            "concurrent": {"limit": faults.limit, "active": faults.active, "peak": faults.peak, "held": faults.held},
            "cache_entries": len(emulator.cache),
        }
    )


def _add_fault(emulator: Emulator, request: Request) -> Response:
    emulator.faults.add(_control(request, Fault))
    return _state(emulator, request)


def _clear_faults(emulator: Emulator, request: Request) -> Response:
    emulator.faults.clear()
    return _state(emulator, request)


def _advance(emulator: Emulator, request: Request) -> Response:
    emulator.clock.advance(_control(request, _Advance).advance_s)
    return _state(emulator, request)


def _limit(emulator: Emulator, request: Request) -> Response:
    emulator.faults.limit = _control(request, _Limits).concurrent
    return _state(emulator, request)


def _hold(emulator: Emulator, request: Request) -> Response:
    emulator.faults.hold(_control(request, Hold))
    return _state(emulator, request)


def _release(emulator: Emulator, request: Request) -> Response:
    emulator.faults.release()
    return _state(emulator, request)


def _page(emulator: Emulator, _request: Request) -> Response:
    now = f"{emulator.clock.now():%Y-%m-%d %H:%M:%S %Z}"
    return Response.html(page(report(emulator.books.rows()), scenario=emulator.scenario.name, now=now))


ROUTES: tuple[Route[Emulator], ...] = (
    Route("POST", "/v1/messages", _messages, query=("beta",), body=Body.FREE),
    Route("POST", "/v1/messages/count_tokens", _count_tokens, query=("beta",), body=Body.FREE),
    Route("GET", "/_sandbox/books", _books, query=("issue",)),
    Route("GET", "/_sandbox/received", _received),
    Route("GET", "/_sandbox/state", _state),
    Route("POST", "/_sandbox/faults", _add_fault, body=Body.FREE),
    Route("DELETE", "/_sandbox/faults", _clear_faults),
    Route("POST", "/_sandbox/clock", _advance, body=Body.FREE),
    Route("POST", "/_sandbox/limits", _limit, body=Body.FREE),
    Route("POST", "/_sandbox/hold", _hold, body=Body.FREE),
    Route("POST", "/_sandbox/release", _release, body=Body.FREE),
    Route("GET", "/", _page),
)
