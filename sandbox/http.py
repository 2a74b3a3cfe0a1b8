"""A small ASGI framework for emulators: routes over the raw path, declared parameters, loud refusals.

What a real vendor would silently ignore is an error here that names it: an unknown route, an unknown query or body
parameter. It knows nothing of any vendor and keeps no state. Routes are data (`Route`), handlers are plain functions of
`(state, request)`, sync or async; bind them with `router.include(state, ROUTES)`.
"""

import inspect
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any, Final, Generic, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec

from sandbox.multipart import MultipartError, Upload, parts

S = TypeVar("S")
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_BODY: Final = 128 * 1024 * 1024


class Body(Enum):
    """How much the router itself checks of a body."""

    NAMED = "named"
    """A JSON object or a form whose top-level names must be declared."""
    FREE = "free"
    """Read but not checked: the handler validates it, for example against the vendor's schema."""


class HttpError(Exception):
    """A refusal: its status, its JSON payload and further headers."""

    def __init__(self, status: int, payload: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {payload}")
        self.status = status
        self.payload = payload
        self.headers = dict(headers or {})


class Disconnect(Exception):  # noqa: N818 - not an error of ours: the connection is closed on purpose, without an answer
    """Raised by a handler or middleware to close the connection without an answer."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, its body read whole."""

    method: str
    path: str
    """The raw path, still percent-encoded."""
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    client: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    """What the template's `:name` and `*name` matched, percent-decoded."""
    page_size: int | None = None
    """A switch of the emulator: at most so many entries on a page of any list; None: as the vendor has it."""

    def arg(self, name: str, default: str = "") -> str:
        """Give the last value of one query parameter."""
        return next((value for key, value in reversed(self.query) if key == name), default)

    def page_of(self, asked: int, most: int) -> int:
        """Give how many entries a page has: as many as asked for, at most the vendor's own limit and the switch's."""
        return min(asked, most, self.page_size or most)

    def args(self, name: str) -> list[str]:
        """Give all values of a repeated query parameter, written `name` or `name[]`."""
        return [value for key, value in self.query if key in {name, f"{name}[]"}]

    @property
    def content_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:  # noqa: ANN401 - JSON is whatever was sent
        """Decode the body as JSON; 400 when it isn't."""
        try:
            return json.loads(self.body) if self.body else None
        except (ValueError, RecursionError) as error:
            raise HttpError(400, {"error": f"the body is not valid JSON: {error}"}) from error

    def form(self) -> dict[str, str | Upload]:
        """Decode a urlencoded or multipart form."""
        if self.content_type == "multipart/form-data":
            try:
                return dict(parts(self.body, self.headers["content-type"]))
            except MultipartError as error:
                raise HttpError(400, {"error": str(error)}) from error
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def fields(self) -> dict[str, Any]:
        """Query and body together, as Grape and Rails see them: the body wins, `name[]` becomes a list."""
        merged: dict[str, Any] = {}
        for key, value in self.query:
            if key.endswith("[]"):
                merged.setdefault(key[:-2], []).append(value)
            else:
                merged[key] = value
        if self.content_type == "application/json":
            body = self.json()
            merged.update(body if isinstance(body, dict) else {})
        elif self.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            merged.update(self.form())
        return merged


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer; a body given as an async iterator is streamed."""

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
        """Answer with JSON; Structs, Decimals and aware datetimes are encoded by msgspec."""
        return cls(
            status=status,
            body=msgspec.json.encode(value),
            headers={"content-type": "application/json", **(headers or {})},
        )

    @classmethod
    def html(cls, text: str, *, status: int = 200) -> "Response":
        """Answer with a page."""
        return cls(status=status, body=text.encode(), headers={"content-type": "text/html; charset=utf-8"})

    @classmethod
    def text(cls, text: str, *, status: int = 200) -> "Response":
        """Answer with plain text."""
        return cls(status=status, body=text.encode(), headers={"content-type": "text/plain; charset=utf-8"})


Answer = Response | Awaitable[Response]
Handler = Callable[[Request], Awaitable[Response]]
Middleware = Callable[[Request, Handler], Awaitable[Response]]


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


class Application:
    """The ASGI application of one emulator: router, middleware (outermost first), start and stop hooks."""

    def __init__(self, router: Router, *, middleware: Sequence[Middleware] = ()) -> None:
        self.router = router
        self.middleware = list(middleware)
        self.on_startup: list[Callable[[], Awaitable[None]]] = []
        self.on_shutdown: list[Callable[[], Awaitable[None]]] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Speak ASGI 3."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        try:
            response = await self._answer(await _read(scope, receive))
        except Disconnect:
            await _drop(receive, send)
            return
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()
        ]
        if isinstance(response.body, bytes):
            if response.status not in {204, 304}:
                headers.append((b"content-length", str(len(response.body)).encode()))
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            await send({"type": "http.response.body", "body": response.body if scope["method"] != "HEAD" else b""})
            return
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        try:
            async for chunk in response.body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Disconnect:
            await _drop(receive, send)
            return
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, request: Request) -> Response:
        handler: Handler = self._route
        for middleware in reversed(self.middleware):
            handler = _wrap(middleware, handler)
        return await handler(request)

    async def _route(self, request: Request) -> Response:
        try:
            return await self.router(request)
        except HttpError as error:
            return Response.json(error.payload, status=error.status, headers=error.headers)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            hooks = self.on_startup if message["type"] == "lifespan.startup" else self.on_shutdown
            for hook in hooks:
                await hook()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def _wrap(middleware: Middleware, handler: Handler) -> Handler:
    async def call(request: Request) -> Response:
        try:
            return await middleware(request, handler)
        except HttpError as error:
            return Response.json(error.payload, status=error.status, headers=error.headers)

    return call


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


async def _read(scope: Message, receive: Receive) -> Request:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            raise Disconnect
        if not message.get("more_body", False):
            break
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=tuple(query),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=b"".join(chunks),
        client=(scope.get("client") or ("", 0))[0],
    )


async def _drop(receive: Receive, send: Send) -> None:
    """Close the socket without an answer: uvicorn's `send` is a method of the object that holds the transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        await receive()
