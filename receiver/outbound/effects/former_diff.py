"""Turn a diff, in which the previous release's job client handed a fix in, into a change set. For this release only.

git itself applies it, to an index that holds just the files it names: nothing of ours reads a diff, no file is written
under a name that it chooses, and what comes out is checked like any other change set. Needs git where the worker runs.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from pipelines.language import (
    Artifact,
    ArtifactKind,
    CommitSha,
    ImplementationResult,
    MergeRequestResult,
    PhaseReport,
)
from pipelines.language.change_set import ChangeSet, ChangeSetError, FileAfter, FileBefore, FileChange
from pipelines.language.wire import MAX_BLOB
from receiver import limits

Held = Callable[[str], tuple[str, bytes] | None]
"""Returns mode and content of a file of the base commit; None where there is no such file."""

_BINARY: Final = b"\nGIT binary patch\n"
"""Begins a compressed part, which could be of any size; no line of a file can look like this in a diff."""
_NO_MODE: Final = "000000"


def is_diff(data: bytes) -> bool:
    """Say whether a fix was handed in as a diff."""
    return data.startswith(b"diff --git ")


def is_fix(artifact: Artifact, report: PhaseReport) -> bool:
    """Say whether a file that a report lists is the fix itself, as a diff; a newer client's is for people only."""
    match report.result:
        case ImplementationResult(patch_sha256=fix) | MergeRequestResult(patch_sha256=fix):
            return artifact.kind is ArtifactKind.PATCH and artifact.sha256 == fix and artifact.size <= MAX_BLOB
        case _:
            return False


def change_set(diff: bytes, *, base_sha: CommitSha, base: Held) -> ChangeSet:
    """Return what a diff does to the commit that it was made for. Raises ChangeSetError."""
    if _BINARY in diff:
        raise ChangeSetError("The fix changes a binary file: nobody can review it; a person has to change it.")
    with tempfile.TemporaryDirectory(prefix="bug-fix-diff-") as name:
        git = _Git(Path(name))
        git("init", "--quiet", "--bare", "--template=", ".")
        named = [
            _path(entry.split(b"\t", 2)[2]) for entry in _records(git("apply", "--numstat", "-z", "-", given=diff))
        ]
        if len(named) > limits.DIFF_FILES:
            raise ChangeSetError(f"The fix names {len(named)} files; a diff may name {limits.DIFF_FILES}.")
        index = []
        for path in named:
            if (held := base(path)) is not None:
                mode, content = held
                blob = git("hash-object", "-w", "--stdin", given=content).decode().strip()
                index.append(f"{mode} {blob}\t{path}\0")
        git("update-index", "-z", "--index-info", given="".join(index).encode())
        tree = git("write-tree").decode().strip()
        git("apply", "--cached", "--whitespace=nowarn", "-", given=diff)
        raw = _records(git("diff-index", "--cached", "-z", "--no-renames", tree))
        return ChangeSet(base_sha=base_sha, files=tuple(sorted(_files(git, raw), key=lambda file: file.path)))


def _files(git: _Git, raw: Sequence[bytes]) -> Iterator[FileChange]:
    for facts, path in zip(raw[::2], raw[1::2], strict=True):
        old_mode, mode, old, new, _ = facts.decode().removeprefix(":").split(" ")
        yield FileChange(
            path=_path(path),
            before=None if old_mode == _NO_MODE else FileBefore(mode=old_mode, blob=old),
            after=None if mode == _NO_MODE else FileAfter(mode=mode, content=git("cat-file", "blob", new)),
        )


def _path(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise ChangeSetError(f"The name {name!r} is not UTF-8; a person has to change that file.") from error


def _records(output: bytes) -> list[bytes]:
    return output.split(b"\0")[:-1]


class _Git:
    """git in a repository of its own, without anybody's configuration."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "GIT_DIR": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
        }

    def __call__(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run git to its end. Raises ChangeSetError."""
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=self._folder,
                env=self._environment,
                input=given,
                capture_output=True,
                timeout=limits.GIT_S,
                check=False,
            )
        except FileNotFoundError as error:
            raise ChangeSetError(
                "The fix was handed in as a diff, by a job client of the previous release, and the worker has no git "
                "to take it with. Install git, or put the current job client into the image; then set the label again."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise ChangeSetError(f"git took more than {limits.GIT_S} seconds to apply the fix.") from error
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()[:300]
            raise ChangeSetError(f"The fix does not apply to the commit that it was made for: {said}")
        return done.stdout
