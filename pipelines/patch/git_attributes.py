"""Which attributes a repository's `.gitattributes` give a file. Pure; knows the patterns that such files use.

https://git-scm.com/docs/gitattributes: the last line that matches decides, and a deeper file before a higher one. A
pattern without a slash means a name in any folder. Macros, character classes and `!attribute` are not followed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from pipelines.patch.changed import Base
from pipelines.patch.globs import matches

_LARGEST: Final = 100_000
"""Bytes of one file that are read."""
_SET: Final = {"": True, "true": True, "false": False}
"""What `name`, `name=true` and `name=false` say."""


def attributes(path: str, base: Base, *, nested: bool) -> dict[str, bool]:
    """Return the attributes that are switched on or off for a file at the base commit.

    Reads the file at the root, and where `nested` says so those of the folders above the path.
    """
    folders = path.split("/")[:-1] if nested else []
    found: dict[str, bool] = {}
    for depth in range(len(folders) + 1):
        above = "/".join(folders[:depth])
        content = base(f"{above}/.gitattributes" if above else ".gitattributes")
        if content is not None:
            inside = path[len(above) + 1 :] if above else path
            for pattern, names in _lines(content[:_LARGEST].decode(errors="replace")):
                if _means(pattern, inside):
                    found |= names
    return found


def _lines(text: str) -> Iterator[tuple[str, dict[str, bool]]]:
    for line in text.splitlines():
        try:
            words = shlex.split(line, comments=True) if '"' in line else line.partition("#")[0].split()
        except ValueError:  # a quote that does not end
            continue
        if words:
            yield words[0], dict(_switch(word) for word in words[1:] if _is_switch(word))


def _is_switch(word: str) -> bool:
    return word.partition("=")[2] in _SET


def _switch(word: str) -> tuple[str, bool]:
    name, _, value = word.partition("=")
    return (name.removeprefix("-"), False) if name.startswith("-") else (name, _SET[value])


def _means(pattern: str, path: str) -> bool:
    if "/" not in pattern:
        return matches(pattern, path.rpartition("/")[2])
    return matches(pattern.removeprefix("/"), path)
