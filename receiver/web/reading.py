"""Who may read: holders of a read token, in a header or, for browsers, in a cookie. Nothing here is public."""

from __future__ import annotations

import hmac
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import BaseRouteHandler

from receiver.settings import several
from receiver.web.problems import AnyRequest
from receiver.web.services import Services

AnyConnection = ASGIConnection[Any, Any, Any, Any]
COOKIE: Final = "bug_fix_read"


def may_read(token: str, tokens: tuple[str, ...]) -> bool:
    """Tell whether a token is one of those that may read; takes the same time for any token of a length."""
    same = [hmac.compare_digest(token.encode(), known.encode()) for known in tokens]
    return bool(token) and any(same)


def shown(connection: AnyConnection) -> str:
    """Return the token that a request shows: bearer first, then the cookie."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return connection.cookies.get(COOKIE, "")


def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """Let readers in. Raises NotAuthorizedException for everybody else."""
    services: Services = connection.app.state.services
    if not may_read(shown(connection), several(services.settings.read_tokens)):
        raise NotAuthorizedException(
            "Send a read token: `Authorization: Bearer …`, or open /enter?token=… in a browser."
        )


def sign_in(request: AnyRequest, services: Services) -> Cookie | None:
    """Return the cookie that keeps a browser signed in, when the address carries a valid token."""
    token = request.query_params.get("token", "")
    if not may_read(token, several(services.settings.read_tokens)):
        return None
    secure = services.settings.public_url.startswith("https:")
    return Cookie(key=COOKIE, value=token, httponly=True, samesite="strict", secure=secure, max_age=30 * 24 * 3600)
