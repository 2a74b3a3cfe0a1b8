"""Types of fields in vendors' payloads, and a decoder whose errors name the field. Performs no I/O."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from receiver.hooks.delivery import NotJsonError, WrongShapeError, clean

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""An id that fits PostgreSQL's bigint."""

MAX_WORD: Final = 255
"""Characters kept of names, statuses, branches: the vendors' own maximum."""

MAX_URL: Final = 2_000

EARLIEST_MS: Final = 946_684_800_000
LATEST_MS: Final = 4_102_444_800_000
"""Times between 2000 and 2100; another one is none that a vendor's clock shows."""
EARLIEST: Final = datetime.fromtimestamp(EARLIEST_MS / 1000, UTC)
LATEST: Final = datetime.fromtimestamp(LATEST_MS / 1000, UTC)

LONGEST_S: Final = 1e9
"""Seconds of a duration that is kept."""

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
    """A point in time in any of GitLab's hook formats; None for one that is not possible, or lies in no time zone."""

    __slots__ = ("at",)

    def __init__(self, text: str) -> None:
        iso = text.removesuffix(" UTC") + "+00:00" if text.endswith(" UTC") else text
        try:
            parsed = datetime.fromisoformat(iso)
        except (ValueError, OverflowError):
            self.at = None
        else:
            self.at = parsed if parsed.tzinfo is not None and EARLIEST <= parsed < LATEST else None


def _convert(kind: type[Any], value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")  # noqa: TRY004  # msgspec adds the path to ValueErrors
    return kind(value)


T = TypeVar("T")


def decode(body: bytes, kind: type[T], *, what: str) -> T:
    """Decode a JSON body as `kind`. Raises NotJsonError, and WrongShapeError that names the wrong field."""
    try:
        return msgspec.json.decode(body, type=kind, dec_hook=_convert)
    except msgspec.ValidationError as error:
        raise WrongShapeError(f"The {what} has a wrong shape: {clean(str(error), MAX_WORD)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJsonError(f"The body is not JSON: {clean(str(error), MAX_WORD)}") from error
    except RecursionError as error:
        raise NotJsonError("The body is nested too deeply.") from error


def envelope(body: bytes, kind: type[T], *, what: str) -> T | WrongShapeError:
    """Decode the fields that tell a body's kind, or return why they can't be. Raises NotJsonError for no object."""
    try:
        return decode(body, kind, what=what)
    except WrongShapeError as error:
        if not body.lstrip().startswith(b"{"):
            raise NotJsonError(f"The body is no JSON object: {error}") from error
        return error


def seconds(value: float | None) -> float | None:
    """Return a duration that is possible: a runner whose clock is behind tells small negative ones."""
    return None if value is None else min(max(value, 0.0), LONGEST_S)


def moment(value: Moment | None) -> datetime | None:
    """Return the time, or None."""
    return value.at if value else None


def milliseconds(value: object) -> datetime | None:
    """Return the time that a number of milliseconds, or one written as text, stands for; None for anything else."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdecimal() and EARLIEST_MS <= int(text[:15]) < LATEST_MS):
        return None
    return datetime.fromtimestamp(int(text[:15]) / 1000, UTC)


def word(value: Word | Url | None) -> str:
    """Return a plain string, empty for None."""
    return value.text if value is not None else ""
