"""Refusals in Anthropic's words: an error type with its HTTP status, and a sentence. Answers nothing itself."""

from enum import Enum


class Kind(Enum):
    """Error types of the API (https://platform.claude.com/docs/en/api/errors), each with its status."""

    INVALID_REQUEST = ("invalid_request_error", 400)
    AUTHENTICATION = ("authentication_error", 401)
    NOT_FOUND = ("not_found_error", 404)
    TOO_LARGE = ("request_too_large", 413)
    RATE_LIMIT = ("rate_limit_error", 429)
    API = ("api_error", 500)
    OVERLOADED = ("overloaded_error", 529)

    @property
    def type(self) -> str:
        """What `error.type` says."""
        return self.value[0]

    @property
    def status(self) -> int:
        """The HTTP status that goes with it."""
        return self.value[1]


class ApiError(Exception):
    """The API refuses a request, or fails; the message is the one that the client sees."""

    def __init__(self, kind: Kind, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        """Seconds, for the `retry-after` header."""


def invalid(message: str) -> ApiError:
    """Make the refusal of an invalid request."""
    return ApiError(Kind.INVALID_REQUEST, message)


def payload(kind: Kind, message: str, request_id: str) -> dict[str, object]:
    """Build the body of an error answer, which is also the data of a stream's `error` event."""
    return {"type": "error", "error": {"type": kind.type, "message": message}, "request_id": request_id}
