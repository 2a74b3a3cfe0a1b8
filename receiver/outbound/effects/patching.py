"""Apply a patch to files in a temporary folder with the real git, and tell what to commit. No network, no repository.

The patch was checked before (`pipelines.patch`): plain files only, relative paths, nothing of git's own.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pipelines.patch import Change, PatchFile, PatchSummary
from receiver.outbound.errors import RefusedError
from receiver.outbound.gitlab.repositories_api import Action

Fetch = Callable[[str], tuple[bytes, bool]]
"""Returns a file of the base commit and whether it is executable."""

TIMEOUT = 60
"""Seconds that git may take."""


def actions(patch: bytes, summary: PatchSummary, fetch: Fetch) -> tuple[Action, ...]:
    """Return the commit's actions. Raises RefusedError when the patch does not fit its base."""
    with tempfile.TemporaryDirectory(prefix="bug-fix-patch-") as name:
        folder = Path(name) / "tree"
        folder.mkdir()
        executable = {file.old_path: _write(folder, file, fetch) for file in summary.files if _has_base(file)}
        _apply(folder, patch, home=Path(name))
        return tuple(
            action
            for file in summary.files
            for action in _actions(folder, file, was_executable=executable.get(file.old_path, False))
        )


def _has_base(file: PatchFile) -> bool:
    return file.change is not Change.ADDED


def _inside(folder: Path, path: str) -> Path:
    target = folder / path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise RefusedError("A path of the patch leaves its folder.")
    return target


def _write(folder: Path, file: PatchFile, fetch: Fetch) -> bool:
    content, is_executable = fetch(file.old_path)
    target = _inside(folder, file.old_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(0o755 if is_executable else 0o644)
    return is_executable


def _apply(folder: Path, patch: bytes, *, home: Path) -> None:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CEILING_DIRECTORIES": str(home),
        "LC_ALL": "C",
    }
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-p1", "-"],
        cwd=folder,
        env=environment,
        input=patch,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[:500]
        raise RefusedError(f"The patch does not fit the commit that it was made for: {said}")


def _actions(folder: Path, file: PatchFile, *, was_executable: bool) -> Iterator[Action]:
    if file.change is Change.DELETED:
        yield Action(action="delete", path=file.path)
        return
    target = _inside(folder, file.path)
    if target.is_symlink() or not target.is_file():
        raise RefusedError("The patch makes something that is not a plain file.")
    content = target.read_bytes()
    match file.change:
        case Change.MODIFIED:
            yield Action(action="update", path=file.path, content=content)
        case Change.RENAMED:
            yield Action(action="move", path=file.path, previous_path=file.old_path, content=content)
        case _:
            yield Action(action="create", path=file.path, content=content)
    is_executable = bool(target.stat().st_mode & 0o100)
    if is_executable != was_executable:  # GitLab takes the flag in an action of its own only
        yield Action(action="chmod", path=file.path, executable=is_executable)
