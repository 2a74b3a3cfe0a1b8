"""Remove, walk and hand over folders that untrusted code filled. Iterative, by descriptors; follows no link.

Such a folder may be thousands of levels deep, deeper than a path may be long and than Python may recurse: so nothing
here calls itself, names a path below the top or holds a descriptor for each level. Its processes must have ended.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct

from pipelines.job import limits
from pipelines.job.communication.errors import RunnerError
from pipelines.job.isolation.bounded_command import run_bounded
from pipelines.job.isolation.executables import located

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Level(Struct, frozen=True, kw_only=True):
    """A folder of a tree that is being walked; valid until the walk goes on."""

    descriptor: int
    parts: Sequence[str]
    """Its path below the top."""
    folders: Sequence[str]
    others: Sequence[str]
    """Files, links, and what else is no folder."""


def remove(path: Path) -> bool:
    """Remove whatever is there; says whether nothing is left. What resists stays and does not keep the rest."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return not os.path.lexists(path)
    try:
        return remove_at(folder, path.name)
    finally:
        os.close(folder)


def remove_at(folder: int, name: str) -> bool:
    """Remove an entry of an open folder; says whether nothing is left."""
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            for level in _walk(folder, name, enter=_enter_anyway, leave=_remove_folder):
                for other in level.others:
                    with contextlib.suppress(OSError):
                        os.unlink(other, dir_fd=level.descriptor)
            os.rmdir(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def give(top: Path, uid: int) -> None:
    """Make a folder with all in it belong to a user and to no other. Raises OSError."""
    for level in walk(top):
        for name in (*level.folders, *level.others):
            os.chown(name, uid, uid, dir_fd=level.descriptor, follow_symlinks=False)
    os.chown(top, uid, uid)
    top.chmod(0o700)


def copy(source: Path, target: Path) -> None:
    """Copy a folder with all in it to where nothing is, owners, modes and links as they are. Raises `RunnerError`."""
    folders = [os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for path in (source, target)]
    # by descriptors, because a path may be one of this very process: /proc/self/fd/7/.cache
    paths = [f"/proc/self/fd/{folder}/{path.name}" for folder, path in zip(folders, (source, target), strict=True)]
    try:
        done = run_bounded(
            [located("cp"), "-a", "--", *paths], purpose="copy a folder", timeout_s=limits.COPY_S, pass_fds=folders
        )
    finally:
        for folder in folders:
            os.close(folder)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["cp gave no reason"]
        raise RunnerError(f"A folder can't be copied on this runner: {said[0][:300]}")


def walk(top: Path, *, deepest: int | None = None) -> Iterator[Level]:
    """Yield a folder and those below it, a folder before what it holds; `deepest`: levels below the top.

    What can't be read is left out.
    """
    return _walk(None, str(top), deepest=deepest)


def find(folder: Path, pattern: str, *, deepest: int) -> list[Path]:
    """Return what `Path.glob` returns, but where the pattern says `**` only that many levels below the folder."""
    if "**" not in pattern:
        return sorted(folder.glob(pattern))
    wanted = PurePosixPath(pattern).parts
    return sorted(
        folder.joinpath(*level.parts, name)
        for level in walk(folder, deepest=deepest)
        for name in (*level.folders, *level.others)
        if _matches((*level.parts, name), wanted)
    )


def _matches(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return any(_matches(parts[skipped:], wanted[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], wanted[0]) and _matches(parts[1:], wanted[1:])


def _walk(
    folder: int | None,
    name: str,
    *,
    deepest: int | None = None,
    enter: Callable[[int | None, str], int | None] | None = None,
    leave: Callable[[int, str], None] = lambda _folder, _name: None,
) -> Iterator[Level]:
    """Yield the levels; `leave` is called with each folder below the top when all in it was visited."""
    enter = enter or _enter
    here = enter(folder, name)
    if here is None:
        return
    names: list[str] = []
    waiting: list[list[str]] = []
    """Of each level from the top to here, the folders that are still to be visited."""
    identities: list[tuple[int, int]] = []
    is_new = True
    try:
        while True:
            if is_new:
                folders, others = _listed(here)
                yield Level(descriptor=here, parts=names, folders=folders, others=others)
                identities.append(_identity(here))
                waiting.append([] if deepest is not None and len(names) >= deepest else folders[::-1])
                is_new = False
            elif waiting[-1]:
                inner = enter(here, waiting[-1][-1])
                name = waiting[-1].pop()
                if inner is not None:
                    os.close(here)
                    here, is_new = inner, True
                    names.append(name)
            elif names:
                waiting.pop()
                identities.pop()
                above = os.open("..", _FOLDER, dir_fd=here)
                os.close(here)
                here = above
                if _identity(here) != identities[-1]:  # somebody moved it
                    return
                leave(here, names.pop())
            else:
                return
    finally:
        os.close(here)


def _enter(folder: int | None, name: str) -> int | None:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError:
        return None


def _enter_anyway(folder: int | None, name: str) -> int | None:
    """Enter a folder whose owner took its own rights away; root needs none."""
    if os.geteuid() != 0:
        with contextlib.suppress(OSError):
            os.chmod(name, 0o700, dir_fd=folder)
    return _enter(folder, name)


def _remove_folder(folder: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=folder)


def _listed(folder: int) -> tuple[list[str], list[str]]:
    folders: list[str] = []
    others: list[str] = []
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for one in found:
            (folders if one.is_dir(follow_symlinks=False) else others).append(one.name)
    return folders, others


def _identity(folder: int) -> tuple[int, int]:
    facts = os.fstat(folder)
    return facts.st_dev, facts.st_ino
