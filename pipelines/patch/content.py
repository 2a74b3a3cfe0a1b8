"""The text of a file before and after a patch, for rules that have to read whole files. Writes nothing.

Only as exact as reading needs: bytes that are no UTF-8 are replaced. What is committed is made by git.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from pipelines.patch.parse import PatchError
from pipelines.patch.summary import Change, Content, PatchFile, PatchSummary

Base = Callable[[str], bytes | None]
"""Gives a file of the commit that a patch was made for; None where there is no such file."""


class Changed(Struct, frozen=True, kw_only=True):
    """One file of a patch with its text."""

    file: PatchFile
    before: str
    """Empty for a file that the patch adds."""
    after: str
    """Empty for a file that the patch deletes."""

    @property
    def path(self) -> str:
        """Return the path, after the patch."""
        return self.file.path


def contents(summary: PatchSummary, base: Base) -> tuple[Changed, ...]:
    """Return the text of each file. Raises `PatchError` where the patch does not fit the base."""
    return tuple(_changed(file, base) for file in summary.files if file.content is not Content.BINARY)


def _changed(file: PatchFile, base: Base) -> Changed:
    data = None if file.change is Change.ADDED else base(file.old_path)
    if data is None and file.change is not Change.ADDED:
        raise PatchError(f"{file.old_path!r} is not in the commit that the patch was made for.")
    before = (data or b"").decode(errors="replace")
    if file.change is Change.DELETED:
        return Changed(file=file, before=before, after="")
    return Changed(file=file, before=before, after=_applied(before, file))


def _applied(before: str, file: PatchFile) -> str:
    lines = before.split("\n")
    out: list[str] = []
    place = 0
    for hunk in file.hunks:
        out += lines[place : hunk.before]
        place = max(place, hunk.before)
        for kind, text in hunk.lines:
            if kind != "+":
                if place >= len(lines) or lines[place] != text:
                    raise PatchError(f"The patch does not fit {file.old_path!r} at line {place + 1}.")
                place += 1
            if kind != "-":
                out.append(text)
    return "\n".join(out + lines[place:])
