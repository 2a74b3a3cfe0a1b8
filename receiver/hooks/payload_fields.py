"""Types of fields in vendors' payloads, and a decoder whose errors name the field. Performs no I/O."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from receiver.hooks.delivery import WrongShapeError, clean

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""An id that fits PostgreSQL's bigint."""

Seconds = Annotated[float, Meta(ge=0, le=1e9)]

MAX_WORD: Final = 255
"""Characters kept of names, statuses, branches: the vendors' own maximum."""

MAX_URL: Final = 2_000

_SPACES: Final = re.compile(r"[\x00-\x20\x7f<>\"'`|\[\]{}\\]")
"""Characters that must be escaped in a URL, or could end it in HTML, Markdown or wiki markup."""


class Word:
    """A short text of a payload without control characters, at most MAX_WORD long."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = clean(text, MAX_WORD)


class Url:
    """A URL of a payload, empty when it is not a valid one. Never fetched; shown to people as a link."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        is_address = text.startswith(("https://", "http://")) and len(text) <= MAX_URL and not _SPACES.search(text)
        self.text = text if is_address else ""


class Moment:
    """A point in time in any of GitLab's hook formats."""

    __slots__ = ("at",)

    def __init__(self, text: str) -> None:
        iso = text.removesuffix(" UTC") + "+00:00" if text.endswith(" UTC") else text
        parsed = datetime.fromisoformat(iso)
        if parsed.tzinfo is None:
            raise ValueError("Expected a time with a time zone")
        self.at = parsed


def _convert(kind: type[Any], value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")  # noqa: TRY004  # msgspec adds the path to ValueErrors
    if kind is Moment:
        try:
            return Moment(value)
        except (ValueError, OverflowError) as error:
            raise ValueError("Expected a time such as `2026-11-22T10:00:00Z`") from error
    return kind(value)


T = TypeVar("T")


def decode(body: bytes, kind: type[T], *, what: str) -> T:
    """Decode a JSON body as `kind`. Raises WrongShapeError that names the wrong field."""
    try:
        return msgspec.json.decode(body, type=kind, dec_hook=_convert)
    except msgspec.ValidationError as error:
        raise WrongShapeError(f"The {what} has a wrong shape: {clean(str(error), MAX_WORD)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WrongShapeError(f"The body is not JSON: {clean(str(error), MAX_WORD)}") from error
    except RecursionError as error:
        raise WrongShapeError("The body is nested too deeply.") from error


def moment(value: Moment | None) -> datetime | None:
    """Return the time, or None."""
    return value.at if value else None


def word(value: Word | Url | None) -> str:
    """Return a plain string, empty for None."""
    return value.text if value is not None else ""
