"""Make JSON values fit for Postgres, whose text can't hold the character NUL. Changes nothing else."""

from __future__ import annotations

from typing import Any


def storable(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Return a JSON value as Postgres takes it; output of tests, files and tickets may hold NUL."""
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case list() | tuple():
            return [storable(item) for item in value]
        case dict():
            return {storable(key): storable(item) for key, item in value.items()}
        case _:
            return value
