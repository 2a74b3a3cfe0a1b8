"""Diffs as tables of lines. Reads what git printed; runs nothing."""

import re
from typing import Final, Literal

import msgspec

from sandbox.gitlab.repository import FileDiff

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
Kind = Literal["add", "del", "hunk", "same"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a diff; a number is empty on the side that lacks the line."""

    kind: Kind
    old: str
    new: str
    text: str


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """One file's diff as shown."""

    title: str
    added: int
    removed: int
    lines: tuple[Line, ...]


def shown(diff: FileDiff) -> FileChange:
    """Show one file's diff."""
    lines = tuple(_lines(diff.patch))
    if diff.status == "R":
        title = f"{diff.old_path} → {diff.new_path}"
    else:
        title = diff.new_path + {"A": " (new)", "D": " (deleted)"}.get(diff.status, "")
    return FileChange(
        title=title,
        added=sum(one.kind == "add" for one in lines),
        removed=sum(one.kind == "del" for one in lines),
        lines=lines,
    )


def _lines(patch: str) -> list[Line]:
    old = new = 0
    found: list[Line] = []
    for text in patch.removesuffix("\n").split("\n") if patch else ():
        hunk = _HUNK.match(text)
        if hunk:
            old, new = int(hunk[1]), int(hunk[2])
            found.append(Line(kind="hunk", old="", new="", text=text))
        elif text.startswith("+"):
            found.append(Line(kind="add", old="", new=str(new), text=text))
            new += 1
        elif text.startswith("-"):
            found.append(Line(kind="del", old=str(old), new="", text=text))
            old += 1
        elif text.startswith("\\"):
            found.append(Line(kind="hunk", old="", new="", text=text))
        else:
            found.append(Line(kind="same", old=str(old), new=str(new), text=text))
            old, new = old + 1, new + 1
    return found
