"""One HTTP request and its response, and the exceptions that end a request. Knows no routes and no server."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from sandbox.http.multipart import MultipartError, Upload, parts


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
