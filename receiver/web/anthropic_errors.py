"""Refusals of the gateway in the shape of Anthropic's errors, so that the stock SDK understands each of them.

https://docs.claude.com/en/api/errors
"""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import Response

from receiver.gateway.policy import Refused

BELOW: Final = "/gateway"

KINDS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
}
"""Error types by HTTP status; anything else is an `api_error`."""


def refused(refusal: Refused) -> Response[bytes]:
    """Return a refusal; without a time to wait the SDK is told that trying again is no use."""
    body = {"type": "error", "error": {"type": refusal.kind, "message": str(refusal)}, "request_id": None}
    if refusal.retry_after_s is None:
        headers = {"x-should-retry": "false"}
    else:
        headers = {"retry-after": str(refusal.retry_after_s)}
    return Response(
        msgspec.json.encode(body), status_code=refusal.status, media_type="application/json", headers=headers
    )


def of_status(status: int, sentence: str) -> Response[bytes]:
    """Return a refusal that the web framework asks for: unknown route, wrong method, body too large."""
    retry_after_s = 2 if status >= 500 else None
    return refused(Refused(status, KINDS.get(status, "api_error"), sentence, retry_after_s=retry_after_s))


def is_below(path: str) -> bool:
    """Tell whether an address is the gateway's."""
    return path == BELOW or path.startswith(f"{BELOW}/")
