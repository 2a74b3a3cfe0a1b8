"""Decode what a submit tool was called with, so that the model gets errors that it can correct. Pure."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T", bound=Struct)


class SubmissionError(ValueError):
    """The submission can't be taken; the message tells the model what to correct."""


def decoded(given: dict[str, Any], kind: type[T]) -> T:
    """Return the submission. Raises `SubmissionError` that names the field."""
    try:
        return msgspec.convert(given, type=kind)
    except msgspec.ValidationError as error:
        raise SubmissionError(f"The input does not fit: {error}. Correct it and submit again.") from error


def plain_path(path: str) -> bool:
    """Say whether a path is relative, in its plain form and inside the repository."""
    parts = path.split("/")
    printable = path.isprintable() and "\\" not in path
    return printable and not path.startswith("/") and not any(part in {"", ".", "..", ".git"} for part in parts)
