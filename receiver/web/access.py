"""Who may read: holders of a read token, in a header or, for browsers, in a cookie. Nothing here is public."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler

from receiver import limits
from receiver.settings import several
from receiver.web.problems import AnyRequest
from receiver.web.services import Services

AnyConnection = ASGIConnection[Any, Any, Any, Any]
COOKIE: Final = "bug_fix_read"


def may_read(token: str, tokens: tuple[str, ...]) -> bool:
    """Tell whether a token is one of those that may read; takes the same time for any token of a length."""
    same = [hmac.compare_digest(token.encode(), known.encode()) for known in tokens]
    return bool(token) and any(same)


def cookie_of(token: str, *, expires: int) -> str:
    """Return what a browser holds instead of the token: until when, and a proof that only the token's owner can make.

    It is keyed by the token itself, so that it ends with a token that is taken away.
    """
    proof = hmac.new(token.encode(), f"{COOKIE}:{expires}".encode(), hashlib.sha256).hexdigest()
    return f"{expires}.{proof}"


def _signed_in(value: str, tokens: tuple[str, ...], *, now: datetime) -> bool:
    until, _, _ = value.partition(".")
    if not (until.isascii() and until.isdecimal() and len(until) <= 12) or int(until) <= now.timestamp():
        return False
    return may_read(value, tuple(cookie_of(token, expires=int(until)) for token in tokens))


def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Let readers in. Raises NotAuthorizedException for everybody else."""
    services: Services = connection.app.state.services
    tokens = several(services.settings.read_tokens)
    scheme, _space, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        let_in = may_read(token.strip(), tokens)
    else:
        let_in = _signed_in(connection.cookies.get(COOKIE, ""), tokens, now=services.clock())
    if not let_in:
        raise NotAuthorizedException(
            "Send a read token: `Authorization: Bearer …`, or open /enter?token=… in a browser."
        )


def sign_in(request: AnyRequest, services: Services) -> Cookie | None:
    """Return the cookie that keeps a browser signed in, when the address carries a valid token."""
    token = request.query_params.get("token", "")
    if not may_read(token, several(services.settings.read_tokens)):
        return None
    secure = services.settings.public_url.startswith("https:")
    value = cookie_of(token, expires=int(services.clock().timestamp()) + limits.SIGNED_IN_S)
    # lax: links in notes lead here from other sites, and no GET changes anything
    return Cookie(key=COOKIE, value=value, httponly=True, samesite="lax", secure=secure, max_age=limits.SIGNED_IN_S)
