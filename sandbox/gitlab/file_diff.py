"""The lines of one file between two commits, as GitLab numbers them: what a note on the diff points at.

A file's diff is read with all of its lines, because GitLab unfolds the unchanged ones around a note
(Gitlab::Diff::File#unfold_diff_lines): each line of a changed file can be commented on, none of an unchanged one.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sandbox.gitlab.repository import GitError, Repository

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_ALL_LINES: Final = 1_000_000


class Kind(Enum):
    """What became of a line."""

    ADDED = "+"
    REMOVED = "-"
    UNCHANGED = " "


@dataclass(frozen=True)
class DiffLine:
    """A line; both numbers are counted on, also where the line is in one of the files only."""

    kind: Kind
    old_position: int
    new_position: int

    @property
    def old_line(self) -> int | None:
        """Its number in the old file."""
        return None if self.kind is Kind.ADDED else self.old_position

    @property
    def new_line(self) -> int | None:
        """Its number in the new file."""
        return None if self.kind is Kind.REMOVED else self.new_position


@dataclass(frozen=True)
class FileDiff:
    """A changed file with all of its lines."""

    old_path: str
    new_path: str
    lines: tuple[DiffLine, ...]

    def line(self, *, old: int | None, new: int | None) -> DiffLine | None:
        """Find the line with exactly these numbers: an unchanged line has two."""
        return next((one for one in self.lines if (one.old_line, one.new_line) == (old, new)), None)

    def code(self, line: DiffLine) -> str:
        """Give a line's code, `<SHA1 of the path>_<old>_<new>` (doc/api/discussions.md#line-code)."""
        path = hashlib.sha1((self.new_path or self.old_path).encode(), usedforsecurity=False).hexdigest()
        return f"{path}_{line.old_position}_{line.new_position}"


def moved_to_new(diff: FileDiff | None, old: int) -> int | None:
    """Say where a line of the old file is in the new one; None when it is gone (Gitlab::Diff::LineMapper)."""
    return old if diff is None else next((one.new_line for one in diff.lines if one.old_line == old), None)


def moved_to_old(diff: FileDiff | None, new: int) -> int | None:
    """Say where a line of the new file was in the old one; None when it is new."""
    return new if diff is None else next((one.old_line for one in diff.lines if one.new_line == new), None)


async def between(repository: Repository, old: str, new: str, *, path: str, of_old: bool) -> FileDiff | None:
    """Read what changed in the file of this path (in the old commit, or in the new one); None when nothing did."""
    try:
        changed = await repository.diff(old, new)
    except GitError:
        return None
    for one in changed:
        if path == one.old_path and one.status != "A" if of_old else path == one.new_path:
            lines = await _lines(repository, old, new, one.old_path, one.new_path)
            return FileDiff(old_path=one.old_path, new_path=one.new_path, lines=lines)
    return None


async def _lines(repository: Repository, old: str, new: str, *paths: str) -> tuple[DiffLine, ...]:
    raw = await repository.git(
        "diff", f"--unified={_ALL_LINES}", "-M", "--no-color", "--no-ext-diff", old, new, "--", *paths
    )
    found: list[DiffLine] = []
    before = after = 0
    for text in raw.decode("utf-8", "replace").split("\n"):
        hunk = _HUNK.match(text)
        if hunk:
            before, after = int(hunk[1]), int(hunk[2])
        elif before or after:
            kind = next((kind for kind in Kind if text.startswith(kind.value)), None)
            if kind is None:
                continue  # `\\ No newline at end of file`, or the end
            found.append(DiffLine(kind, before, after))
            before += kind is not Kind.ADDED
            after += kind is not Kind.REMOVED
    return tuple(found)
