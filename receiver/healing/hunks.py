"""What a remedy changes, as lines that are replaced, and where these stand in a file as it is now. Pure."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from pipelines.language.change_set import ChangeSet, FileChange

CONTEXT: Final = 3
"""Lines around a replacement by which it is found again."""
REACH: Final = 100
"""Lines above and below its note that a suggestion of GitLab's may reach (lib/gitlab/diff/suggestion.rb)."""


class Hunk(Struct, frozen=True, kw_only=True):
    """Lines of a file that a remedy replaces by others."""

    path: str
    above: tuple[str, ...]
    """Unchanged lines before it, for finding it again."""
    old: tuple[str, ...]
    """At least one line: what is only inserted takes its neighbour along."""
    new: tuple[str, ...]
    below: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Return what it is known by."""
        parts = "\0".join([self.path, *self.above, "\1", *self.old, "\2", *self.new, "\3", *self.below])
        return hashlib.sha256(parts.encode("utf-8", "surrogateescape")).hexdigest()


class Place(Struct, frozen=True, kw_only=True):
    """Where the lines of a hunk stand in a file, counted from 1, both included."""

    first: int
    last: int


def hunks_of(before: ChangeSet, after: ChangeSet) -> tuple[Hunk, ...] | None:
    """Return what changes between a fix and the mended one; None: not by lines of text files alone."""
    old, new = _by_path(before), _by_path(after)
    found: list[Hunk] = []
    for path in sorted(old.keys() | new.keys()):
        was, becomes = old.get(path), new.get(path)
        if was == becomes:
            continue
        texts = _texts(was, becomes)
        if texts is None:
            return None
        found.extend(_hunks(path, *texts))
    return tuple(found)


def lines_of(content: bytes) -> list[str] | None:
    """Return a text's lines without their ends; None: not a text whose lines could be suggested."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\r" in text or "\0" in text else text.removesuffix("\n").split("\n")


def find(hunk: Hunk, lines: Sequence[str]) -> Place | None:
    """Return where a hunk's old lines stand, with as much around them as tells that apart; None: nowhere, or unclear.

    What a person changed beside them makes the lines around count less, from the outside to the inside.
    """
    for kept in range(CONTEXT, -1, -1):
        above, below = hunk.above[len(hunk.above) - min(kept, len(hunk.above)) :], hunk.below[:kept]
        wanted = [*above, *hunk.old, *below]
        at = [i for i in range(len(lines) - len(wanted) + 1) if list(lines[i : i + len(wanted)]) == wanted]
        if len(at) == 1:
            first = at[0] + len(above) + 1
            return Place(first=first, last=first + len(hunk.old) - 1)
        if at:
            return None
    return None


def is_in(hunk: Hunk, lines: Sequence[str]) -> bool:
    """Return whether a file has the new lines where the old ones were."""
    turned = Hunk(path=hunk.path, above=hunk.above, old=hunk.new, new=hunk.old, below=hunk.below)
    return bool(hunk.new) and find(hunk, lines) is None and find(turned, lines) is not None


def replaced(lines: Sequence[str], hunk: Hunk, place: Place) -> list[str]:
    """Return a file's lines with a hunk applied."""
    return [*lines[: place.first - 1], *hunk.new, *lines[place.last :]]


def patch(hunks: Sequence[Hunk]) -> str:
    """Return hunks for people to read, as a diff without line numbers."""
    parts: list[str] = []
    for path in sorted({one.path for one in hunks}):
        parts += [f"--- a/{path}", f"+++ b/{path}"]
        for one in (hunk for hunk in hunks if hunk.path == path):
            parts.append("@@")
            parts += [f" {line}" for line in one.above]
            parts += [f"-{line}" for line in one.old]
            parts += [f"+{line}" for line in one.new]
            parts += [f" {line}" for line in one.below]
    return "\n".join(parts)


def _by_path(change: ChangeSet) -> dict[str, FileChange]:
    return {file.path: file for file in change.files}


def _texts(was: FileChange | None, becomes: FileChange | None) -> tuple[list[str], list[str]] | None:
    if was is None or becomes is None or was.after is None or becomes.after is None:
        return None
    if was.after.mode != becomes.after.mode or was.after.content[-1:] != becomes.after.content[-1:]:
        return None
    old, new = lines_of(was.after.content), lines_of(becomes.after.content)
    return None if old is None or new is None else (old, new)


def _hunks(path: str, old: list[str], new: list[str]) -> Iterator[Hunk]:
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        first, last, start, end = i1, i2, j1, j2
        if first == last and first > 0:  # a suggestion replaces at least one line: the one above stays as it is
            first, start = first - 1, start - 1
        elif first == last:
            last, end = last + 1, end + 1
        yield Hunk(
            path=path,
            above=tuple(old[max(0, first - CONTEXT) : first]),
            old=tuple(old[first:last]),
            new=tuple(new[start:end]),
            below=tuple(old[last : last + CONTEXT]),
        )
