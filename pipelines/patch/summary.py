"""The data of an inspected patch. Holds data only."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Change(StrEnum):
    """What happens to a file."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"
    COPIED = "copied"


class Content(StrEnum):
    """How the change of content is given."""

    NONE = "none"
    """Only name or mode change, or the file is empty."""
    TEXT = "text"
    BINARY = "binary"


class Hunk(Struct, frozen=True, kw_only=True):
    """Lines that follow one another, some of them changed."""

    before: int
    """How many lines of the file stand before it."""
    lines: tuple[tuple[str, str], ...]
    """Each as ` `, `-` or `+`, and its text without a line feed; undecodable bytes replaced."""


class PatchFile(Struct, frozen=True, kw_only=True):
    """One file of a patch."""

    path: str
    """After the patch; for a deletion, before it. As written in the patch, not checked."""
    old_path: str
    """Before the patch; equals `path` unless renamed or copied."""
    change: Change
    content: Content
    old_mode: str | None = None
    """Six octal digits, where the patch names it."""
    new_mode: str | None = None
    insertions: int = 0
    deletions: int = 0
    added: tuple[tuple[int, str], ...] = ()
    """Added lines with their 1-based numbers in the new file; undecodable bytes replaced."""
    hunks: tuple[Hunk, ...] = ()


class PatchSummary(Struct, frozen=True, kw_only=True):
    """All of a patch."""

    files: tuple[PatchFile, ...]
    insertions: int
    deletions: int
    size: int
    """Bytes."""
