"""Names of new files that other machines can't hold, or read as something else. Pure.

https://learn.microsoft.com/windows/win32/fileio/naming-a-file; names that clash with others are in
`pipelines.patch.name_clashes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pipelines.language.change_set import FileChange
from pipelines.patch.display_name import shown
from pipelines.patch.unseen import looks_like_ascii

_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:[. ].*)?", re.IGNORECASE
)
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')
_LONGEST_NAME: Final = 255
"""Bytes of one part of a path."""
_LONGEST_PATH: Final = 220
"""Characters of a path: Windows takes 260 with the folder of the checkout, unless it is told otherwise."""


def names_not_held(files: Sequence[FileChange]) -> Iterator[str]:
    """Yield why a new file may not be called so, a sentence each; a name that is there already is not asked about."""
    for file in files:
        if file.before is None:
            yield from (f"{shown(file.path)} {why}; choose another name." for why in _faults(file.path))


def _faults(path: str) -> Iterator[str]:
    parts = path.split("/")
    if any(_DEVICE.fullmatch(part) for part in parts):
        yield "names a device on Windows"
    if any(part != part.rstrip(". ") for part in parts):
        yield "has a part that ends with a dot or a blank, which Windows takes away"
    if any(part != part.lstrip() for part in parts):
        yield "has a part that begins with a blank, which nobody sees"
    if _FORBIDDEN.search(path):
        yield "holds a character that Windows can't have in a name"
    if path.startswith("-"):
        yield "begins with a dash, so that commands take it for an option"
    if any(len(part.encode()) > _LONGEST_NAME for part in parts) or len(path) > _LONGEST_PATH:
        yield f"is longer than the {_LONGEST_PATH} characters that Windows can check out"
    if word := looks_like_ascii(path):
        yield f"mixes look-alike letters of two scripts in {shown(word)}"
