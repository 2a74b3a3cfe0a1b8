"""Refusals as problem details (RFC 9457). Says nothing about why: that is the caller's sentence."""

from __future__ import annotations

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from pipelines.language.wire import Problem, encode
from receiver.web import anthropic_errors

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
    sentence = _SENTENCES.get(error.status_code, error.detail)
    if anthropic_errors.is_below(request.url.path):
        return anthropic_errors.of_status(error.status_code, sentence)
    if error.status_code == 401 and "text/html" in request.headers.get("accept", ""):
        return Response(NOT_SIGNED_IN.encode(), status_code=401, media_type="text/html", headers=_HTML)
    return problem(error.status_code, sentence)


NOT_SIGNED_IN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Not signed in · bug-fix</title></head>
<body><h1>Not signed in</h1>
<p>Open <code>/enter?token=…</code> at this address once, with a read token from the people who run bug-fix
(<code>READ_TOKENS</code>). This browser then stays signed in for 30 days. Then open your link again.</p></body></html>
"""

_HTML = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}

_SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The body is larger than this address takes.",
}


def broke(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer what nobody foresaw; what went wrong is in the log only."""
    log.error("request.failed", method=request.method, path=request.url.path, exc_info=error)
    sentence = "Something broke here; the receiver's log says what."
    if anthropic_errors.is_below(request.url.path):
        return anthropic_errors.of_status(500, sentence)
    return problem(500, sentence)
