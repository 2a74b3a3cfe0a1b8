"""Faults of any emulator's answers, on demand, and its request log: middleware for `sandbox.http.Application`.

`POST /_sandbox/faults` with `{"requests": [{…}], "rate_limit": {…}, "page_size": 2}`; the Structs' fields are the
documentation, and `page_size` is how many entries a page of any list has at most.
Requests below `/_sandbox/` are never touched and never logged.
"""

import asyncio
import time
from collections import Counter, deque
from dataclasses import replace
from enum import Enum
from fnmatch import fnmatchcase
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec

from sandbox.faults.switches import Switches
from sandbox.http import Disconnect, Handler, HttpError, Request, Response

CONTROL = "/_sandbox/"


class When(Enum):
    """Whether the request is carried out before it fails."""

    BEFORE = "before"
    """Not carried out."""
    AFTER = "after"
    """Carried out; only the answer is lost."""


class RequestFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One switch; used up after `times` requests."""

    method: str = "*"
    path: str = "*"
    """Decoded path without the query, with `*` as a wildcard: `/api/v4/projects/*/pipeline`."""
    times: Annotated[int, msgspec.Meta(ge=1)] = 1
    when: When = When.BEFORE
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = 500
    """Answer with this status; None closes the connection without an answer."""
    retry_after: int | None = None
    """Seconds, in the Retry-After header."""
    delay_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0
    """Wait so long first."""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most so many requests in a period; the next is answered 429 with Retry-After."""

    requests: Annotated[int, msgspec.Meta(ge=1)]
    period_s: Annotated[float, msgspec.Meta(gt=0)]


PageSize = Annotated[int, msgspec.Meta(ge=1)]


class RequestFaults(Switches[RequestFault]):
    """The switches that are on; `RequestFaults.middleware` applies them."""

    def __init__(self, *, page_size: int | None = None) -> None:
        super().__init__()
        self.rate_limit: RateLimit | None = None
        self.page_size = page_size
        """At most so many entries on a page of any list; None: as the vendor has it."""
        self._recent: deque[float] = deque()

    def clear(self) -> None:
        """Turn all switches off, the rate limit and the size of pages too."""
        super().clear()
        self.rate_limit = self.page_size = None
        self._recent.clear()

    def _limit(self) -> None:
        limit = self.rate_limit
        if limit is None:
            return
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - limit.period_s:
            self._recent.popleft()
        if len(self._recent) >= limit.requests:
            wait = max(1, round(self._recent[0] + limit.period_s - now + 0.5))
            raise HttpError(429, {"message": "429 Too Many Requests"}, {"retry-after": str(wait)})
        self._recent.append(now)

    async def middleware(self, request: Request, call_next: Handler) -> Response:
        """Fail the request if a switch says so."""
        if request.path.startswith(CONTROL):
            return await call_next(request)
        self._limit()
        request = replace(request, page_size=self.page_size)
        path = unquote(request.path)
        fault = self.take(lambda one: fnmatchcase(request.method, one.method) and fnmatchcase(path, one.path))
        if fault is None:
            return await call_next(request)
        await asyncio.sleep(fault.delay_s)
        if fault.when is When.AFTER:
            await call_next(request)
        if fault.status is None:
            raise Disconnect
        headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
        raise HttpError(fault.status, {"message": f"{fault.status} as the sandbox was told"}, headers)


class RequestLog:
    """Every request and how it was answered, newest last."""

    def __init__(self, *, kept: int = 20_000) -> None:
        self.entries: deque[dict[str, Any]] = deque(maxlen=kept)
        self.counts: Counter[str] = Counter()

    async def middleware(self, request: Request, call_next: Handler) -> Response:
        """Log a request; status 0 is a connection closed without an answer."""
        if request.path.startswith(CONTROL):
            return await call_next(request)
        started = time.monotonic()
        entry = {
            "method": request.method,
            "path": unquote(request.path),
            "query": dict(request.query),
            "at": time.time(),
            "status": 0,
            "seconds": 0.0,
        }
        self.entries.append(entry)
        try:
            response = await call_next(request)
            entry["status"] = response.status
        except HttpError as error:
            entry["status"] = error.status
            raise
        finally:
            entry["seconds"] = time.monotonic() - started
            self.counts[f"{request.method} {entry['status']}"] += 1
        return response

    def dump(self) -> dict[str, object]:
        """Give the log and its counts by method and status."""
        return {"counts": dict(self.counts), "entries": list(self.entries)}
