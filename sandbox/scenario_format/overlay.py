"""The files that a scenario adds to a repository on top of its folder; reads them, writes nothing.

Files that must not lie in our own checkout (odd names, links, huge files) are described in scenario.yml instead.
"""

from pathlib import Path
from typing import Annotated

import msgspec

TreePath = Annotated[
    str, msgspec.Meta(min_length=1, max_length=400, pattern=r"^(?!/)(?!(?:.*/)?(?:\.\.?|\.git)(?:/|$))")
]
"""A path in a repository; any character but NUL, quotes and line breaks included."""


class OddFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file, or with `link` a symbolic link."""

    path: TreePath
    text: str = ""
    times: Annotated[int, msgspec.Meta(ge=1, le=200_000)] = 1
    """How often the text is repeated."""
    link: str | None = None
    """Where a link leads."""


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the files of a repository's first commit come from, when it is more than a folder."""

    folder: str
    """Relative to scenario.yml."""
    over: str | None = None
    """A folder whose files lie over the first one's."""
    odd: tuple[OddFile, ...] = ()


class OverlayFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that lies over a repository's folder."""

    path: str
    content: bytes
    """Of a link: where it leads."""
    is_link: bool = False


def overlay_files(source: Source, over: Path | None) -> tuple[OverlayFile, ...]:
    """Return the files of the folder `over`, then the odd ones."""
    files = sorted(path for path in over.rglob("*") if path.is_file()) if over is not None else []
    plain = [
        OverlayFile(path=str(file.relative_to(over)), content=file.read_bytes())
        for file in files
        if over is not None and "__pycache__" not in file.parts
    ]
    odd = [
        OverlayFile(path=file.path, content=(file.text * file.times).encode())
        if file.link is None
        else OverlayFile(path=file.path, content=file.link.encode(), is_link=True)
        for file in source.odd
    ]
    return (*plain, *odd)
