"""Change sets for tests: of texts, of a work folder, of a diff that git itself applies."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipelines.language.change_set import (
    PLAIN,
    SUBMODULE,
    ChangeSet,
    FileAfter,
    FileBefore,
    FileChange,
    blob_id,
)


def file_change(
    path: str,
    before: bytes | str | None,
    after: bytes | str | None,
    *,
    mode: str = PLAIN,
    old_mode: str = PLAIN,
) -> FileChange:
    """Return the change of a file; None: it is not there."""
    old, new = (text.encode() if isinstance(text, str) else text for text in (before, after))
    return FileChange(
        path=path,
        before=None if old is None else FileBefore(mode=old_mode, blob=blob_id(old)),
        after=None if new is None else FileAfter(mode=mode, content=new),
    )


def change_set(*files: FileChange, base: str = "a" * 40) -> ChangeSet:
    """Return a change set of these files."""
    return ChangeSet(base_sha=base, files=tuple(sorted(files, key=lambda file: file.path)))


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Run git as nobody in particular."""
    nobody = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.hooksPath=/dev/null")
    return subprocess.run(["git", *nobody, *arguments], cwd=folder, check=True, capture_output=True, input=given).stdout


def taken(folder: Path) -> ChangeSet:
    """Return what is changed in a repository's folder since its last commit."""
    git(folder, "add", "--all")
    raw = git(folder, "diff", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD").split(b"\0")[:-1]
    return change_set(*_files(folder, raw), base=git(folder, "rev-parse", "HEAD").decode().strip())


def _files(folder: Path, raw: list[bytes]) -> Iterator[FileChange]:
    for facts, path in zip(raw[::2], raw[1::2], strict=True):
        old_mode, mode, old, new, _ = facts.decode().lstrip(":").split(" ")
        content = b"" if mode in {"000000", SUBMODULE} else git(folder, "cat-file", "blob", new)
        yield FileChange(
            path=path.decode(),
            before=None if old_mode == "000000" else FileBefore(mode=old_mode, blob=old),
            after=None if mode == "000000" else FileAfter(mode=mode, content=content),
        )


def of_diff(repository: Path, diff: bytes) -> ChangeSet:
    """Return what a diff does to a repository's last commit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "clone"
        git(repository, "clone", "--quiet", f"file://{repository}", str(folder))
        if diff:
            git(folder, "apply", "--whitespace=nowarn", "-", given=diff)
        return taken(folder)
