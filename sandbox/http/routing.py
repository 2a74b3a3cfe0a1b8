"""Routes over the raw path with declared parameters; refuses what is not declared, by name.

What a real vendor would silently ignore is an error here: an unknown route, an unknown query or body parameter.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

from sandbox.http.messages import HttpError, Request, Response

S = TypeVar("S")
Answer = Response | Awaitable[Response]


class Body(Enum):
    """How much the router itself checks of a body."""

    NAMED = "named"
    """A JSON object or a form whose top-level names must be declared."""
    FREE = "free"
    """Read but not checked: the handler validates it, for example against the vendor's schema."""


@dataclass(frozen=True)
class Route(Generic[S]):
    """One route. `:name` matches a segment, `*name` anything (slashes too); earlier routes win."""

    method: str
    template: str
    handler: Callable[[S, Request], Answer]
    params: Sequence[str] = ()
    """Names accepted in query and body."""
    query: Sequence[str] = ()
    """Names accepted in the query only."""
    required: Sequence[str] = ()
    """Names that must come in query or body (they are accepted by that)."""
    body: Body = Body.NAMED


@dataclass(frozen=True)
class _Bound:
    route: Route[Any]
    pattern: re.Pattern[str]
    handler: Callable[[Request], Answer]


class Router:
    """The routes of one emulator, tried in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._bound: list[_Bound] = []

    def include(self, state: S, routes: Iterable[Route[S]]) -> None:
        """Add routes whose handlers get `state` as their first argument."""
        for route in routes:
            self._bound.append(_Bound(route, _compile(route.template), partial(route.handler, state)))

    async def __call__(self, request: Request) -> Response:
        """Find the route, check the declared parameters, call the handler."""
        method = "GET" if request.method == "HEAD" else request.method
        for bound in self._bound:
            match = bound.pattern.fullmatch(request.path) if bound.route.method == method else None
            if match is None:
                continue
            values = {name: unquote(value) for name, value in match.groupdict().items()}
            routed = replace(request, params=values)
            _check(routed, bound.route)
            answer = bound.handler(routed)
            return await answer if inspect.isawaitable(answer) else answer
        raise HttpError(
            404,
            {"error": f"the {self.name} emulator does not know {request.method} {request.path}", "unknown_route": True},
        )


def _compile(template: str) -> re.Pattern[str]:
    def segment(match: re.Match[str]) -> str:
        kind, name = match.groups()
        return f"(?P<{name}>{'[^/]+' if kind == ':' else '.+'})"

    escaped = re.sub(r"[.+?^$()|\[\]{}\\]", lambda match: "\\" + match.group(), template)
    return re.compile(re.sub(r"([:*])([a-z_]+)", segment, escaped))


def _check(request: Request, route: Route[Any]) -> None:
    anywhere = {*route.params, *route.required}
    in_query = {name.partition("[")[0] for name, _ in request.query}
    unknown = in_query - anywhere - set(route.query)
    if unknown:
        raise HttpError(
            400, {"error": f"unknown query parameter: {', '.join(sorted(unknown))}", "route": route.template}
        )
    if route.body is Body.FREE:
        return
    given = {name.partition("[")[0] for name in request.fields()}
    unknown = given - anywhere - set(route.query)
    if unknown:
        raise HttpError(
            400, {"error": f"unknown body parameter: {', '.join(sorted(unknown))}", "route": route.template}
        )
    missing = [name for name in route.required if name not in given]
    if missing:
        raise HttpError(400, {"error": ", ".join(f"{name} is missing" for name in missing)})
