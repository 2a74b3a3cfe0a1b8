"""A change set: what a fix does to the files of a repository, byte for byte, and how it travels. Pure.

It is JSON in one form only, so that one SHA-256 means one change. Nothing is ever read out of a diff.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from pipelines.language.fields import CommitSha

Mode = Annotated[str, Meta(pattern="^[0-7]{6}$")]
"""Git's, six octal digits; what may be committed has one of `FILE_MODES`."""
BlobId = Annotated[str, Meta(pattern="^[0-9a-f]{40}$")]

PLAIN: Final = "100644"
EXECUTABLE: Final = "100755"
SYMLINK: Final = "120000"
SUBMODULE: Final = "160000"
FILE_MODES: Final = frozenset({PLAIN, EXECUTABLE})


class ChangeSetError(ValueError):
    """The bytes are no change set, or it was made for other files; the message is a sentence for people."""


class FileBefore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file in the base commit."""

    mode: Mode
    blob: BlobId


class FileAfter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file as it shall be."""

    mode: Mode
    content: bytes
    """Of a symbolic link, its target; of a submodule, nothing."""


class FileChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One path. A renamed file is two of them."""

    path: Annotated[str, Meta(pattern=r"^[^\x00]{1,4096}$")]
    """Relative to the root, with `/`. Not checked."""
    before: FileBefore | None = None
    """None: there is no such file."""
    after: FileAfter | None = None
    """None: it is deleted."""


class ChangeSet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a fix changes in one repository."""

    version: Literal[1] = 1
    base_sha: CommitSha
    """The commit that it was made for."""
    files: tuple[FileChange, ...]
    """Sorted by path, each path once."""


def blob_id(content: bytes) -> str:
    """Return git's id of a blob: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects."""
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def write_change_set(change: ChangeSet) -> bytes:
    """Return the one form in which a change set travels."""
    return msgspec.json.encode(change, order="deterministic")


def read_change_set(data: bytes) -> ChangeSet:
    """Return the change set in `data`. Raises `ChangeSetError`."""
    if data.startswith(b"diff --git "):
        raise ChangeSetError(
            "The fix was handed in as a diff, by a job client of the previous release, which this one does not read. "
            "Put the current job client into the image of every job, then start again."
        )
    try:
        change = msgspec.json.decode(data, type=ChangeSet)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ChangeSetError(f"What was handed in is no change set: {error}.") from error
    paths = [file.path for file in change.files]
    if paths != sorted(set(paths)):
        raise ChangeSetError("The change set does not name each path once, in order.")
    for file in change.files:
        after = None if file.after is None else FileBefore(mode=file.after.mode, blob=blob_id(file.after.content))
        if file.before == after:
            raise ChangeSetError(f"The change set does not change {file.path!r}.")
    if write_change_set(change) != data:
        raise ChangeSetError("The change set is not written as a job client writes it.")
    return change
