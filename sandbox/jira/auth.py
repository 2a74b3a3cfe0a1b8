"""Who asks: basic auth with email and API token (Cloud), user name and password or a PAT (Data Center)."""

import base64
import binascii
import hmac
from collections.abc import Callable

from sandbox.http import HttpError, Request, Response
from sandbox.jira.errors import refusal
from sandbox.jira.model import Person
from sandbox.jira.shapes import Shapes
from sandbox.jira.site import Site
from sandbox.scenario_format import Flavour

Signed = Callable[[Site, Request, Person, Shapes], Response]


def signed(handler: Signed) -> Callable[[Site, Request], Response]:
    """Give a handler the person who asks, and the shapes to answer with."""

    def handle(site: Site, request: Request) -> Response:
        return handler(site, request, authenticate(site, request), Shapes(site=site, page_size=request.page_size))

    return handle


def anonymous(handler: Callable[[Site, Request, Shapes], Response]) -> Callable[[Site, Request], Response]:
    """Give a handler the shapes only: it answers everybody."""

    def handle(site: Site, request: Request) -> Response:
        return handler(site, request, Shapes(site=site))

    return handle


def authenticate(site: Site, request: Request) -> Person:
    """Return the person whose credentials came with the request."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "basic":
            return _basic(site, value)
        case "bearer" if site.flavour is Flavour.DATA_CENTER:
            return _with_token(site, value)
        case "bearer":
            # What Cloud says to a bearer token that is none of OAuth's.
            raise HttpError(403, {"error": "Failed to parse Connect Session Auth Token"})
    raise _who()


def _basic(site: Site, value: str) -> Person:
    try:
        name, _, token = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _who() from error
    person = _with_token(site, token)
    expected = person.email if site.flavour is Flavour.CLOUD else person.username
    if name.lower() != expected.lower():
        raise _who()
    return person


def _with_token(site: Site, token: str) -> Person:
    for username, known in site.tokens.items():
        if hmac.compare_digest(token.encode(), known.encode()):
            return site.people[username]
    raise _who()


def _who() -> HttpError:
    return refusal(
        401,
        "Client must be authenticated to access this resource.",
        www_authenticate='Basic realm="Jira"',
        x_seraph_loginreason="AUTHENTICATED_FAILED",
    )
