"""Refusals as problem details (RFC 9457). Says nothing about why: that is the caller's sentence."""

from __future__ import annotations

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from pipelines.wire import Problem, encode

log = structlog.get_logger()

AnyRequest = Request[Any, Any, Any]


def problem(status: int, detail: str, *, retry_after_s: int | None = None) -> Response[bytes]:
    """Return a refusal; `detail` is a sentence for people."""
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    body = encode(Problem(status=status, detail=detail))
    return Response(body, status_code=status, media_type="application/problem+json", headers=headers)


def refused(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Answer what Litestar refuses: unknown routes, methods, bodies that are too large."""
    if error.status_code >= 500:
        return broke(request, error)
    return problem(error.status_code, _SENTENCES.get(error.status_code, error.detail))


_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The body is larger than this address takes.",
}


def broke(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer what nobody foresaw; what went wrong is in the log only."""
    log.error("request.failed", method=request.method, path=request.url.path, exc_info=error)
    return problem(500, "Something broke here; the receiver's log says what.")
