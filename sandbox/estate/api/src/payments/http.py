"""Requests and responses as values, between the socket and the handlers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

LARGEST_BODY = 256 * 1024


class Refused(Exception):
    """A request that we don't answer, with the status that says why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Invalid(Exception):
    """Some fields are wrong: a sentence for each."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in errors.items()))
        self.errors = errors


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body."""
        if self.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Please send application/json.")
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "The body must be an object.")
        return value


@dataclass(frozen=True, kw_only=True)
class Response:
    """What we answer."""

    status: HTTPStatus = HTTPStatus.OK
    value: object = None

    @property
    def body(self) -> bytes:
        """The JSON text."""
        return json.dumps(self.value, ensure_ascii=False).encode()
