"""OpenID Connect discovery, as far as verifiers of ID tokens need it."""

from sandbox.ci.instance import oidc
from sandbox.ci.instance.instance import Ci
from sandbox.http import Request, Response, Route


def configuration(ci: Ci, _request: Request) -> Response:
    """Give the discovery document."""
    return Response.json(oidc.discovery(ci.state.url))


def keys(ci: Ci, _request: Request) -> Response:
    """Give the key set."""
    return Response.json(ci.site.signer.keys())


ROUTES = (
    Route("GET", "/.well-known/openid-configuration", configuration),
    Route("GET", "/oauth/discovery/keys", keys),
)
