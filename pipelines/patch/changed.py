"""The text of a file before and after a change, for rules that read whole files. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from msgspec import Struct

from pipelines.language.change_set import ChangeSetError, FileChange, blob_id

Base = Callable[[str], bytes | None]
"""Returns a file of the commit that a change was made for; None where there is no such file."""


class Change(StrEnum):
    """What happens to a file."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"


class Changed(Struct, frozen=True, kw_only=True):
    """One file with its text; bytes that are not UTF-8 are replaced."""

    path: str
    change: Change
    before: str = ""
    after: str = ""


def contents(files: Sequence[FileChange], base: Base) -> tuple[Changed, ...]:
    """Return the text of each file. Raises `ChangeSetError` where the base holds something else."""
    return tuple(_changed(file, base) for file in files)


def kind_of(file: FileChange) -> Change:
    """Return what happens to a file."""
    if file.before is None:
        return Change.ADDED
    return Change.DELETED if file.after is None else Change.MODIFIED


def _changed(file: FileChange, base: Base) -> Changed:
    before = base(file.path)
    if (None if before is None else blob_id(before)) != (None if file.before is None else file.before.blob):
        raise ChangeSetError(f"The change does not fit {file.path!r} in the commit that it was made for.")
    after = b"" if file.after is None else file.after.content
    return Changed(
        path=file.path,
        change=kind_of(file),
        before=(before or b"").decode(errors="replace"),
        after=after.decode(errors="replace"),
    )
