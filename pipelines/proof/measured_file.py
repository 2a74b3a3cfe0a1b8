"""A source file of a coverage report, and where it may be. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct


class MeasuredFile(Struct, frozen=True, kw_only=True):
    """A source file and which of its lines were run."""

    name: str
    """As in the report, with `/` between its parts: absolute, or relative to one of the sources."""
    sources: tuple[str, ...]
    """Folders that the name may be relative to; absolute or not."""
    lines: dict[int, bool]
    """By 1-based number: whether it was run."""

    @property
    def places(self) -> Iterator[str]:
        """Yield what the whole path may be."""
        if not _is_absolute(self.name):
            yield from (plain(f"{source}/{self.name}") for source in self.sources)
        yield self.name


def plain(path: str) -> str:
    """Return a path with `/` between its parts, without `.` and without a slash at its end, Windows paths too."""
    path = path.strip().replace("\\", "/")
    root = "/" if path.startswith("/") else ""
    return root + "/".join(part for part in path.split("/") if part not in {"", "."})


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or re.match(r"[A-Za-z]:", path) is not None
