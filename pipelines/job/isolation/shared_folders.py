"""Find what everybody may write to, and undo what a user did there. Looks only near the root.

Images have such folders in many places (`/tmp`, `/run/lock`, `/go`, `/usr/local/bundle`). A search of a whole machine
takes a minute, one of its four upper levels a fraction of a second.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

from pipelines.job.isolation import file_trees

_LEVELS: Final = 4
_MOST_FOLDERS: Final = 20_000
_LEFT_OUT: Final = frozenset({"/proc", "/sys", "/dev/pts", "/dev/fd"})


class Device(Struct, frozen=True, kw_only=True):
    """A device that everybody may write to, with its times when it was found."""

    path: str
    times_ns: tuple[int, int]
    """Of access and of change."""


class Shared(Struct, frozen=True, kw_only=True):
    """What everybody on this machine may write to."""

    folders: tuple[Path, ...]
    """Those that hold others first."""
    devices: tuple[Device, ...] = ()

    def remove_owned(self, uid: int) -> None:
        """Remove what belongs to a user in the folders, with all in it."""
        for folder in self.folders:
            for entry in _entries(folder):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == uid:
                        file_trees.remove(Path(entry.path))

    def restore_times(self) -> None:
        """Give devices the times that they had: to touch one is to leave a sign."""
        for one in self.devices:
            with contextlib.suppress(OSError):
                facts = Path(one.path).lstat()
                if (facts.st_atime_ns, facts.st_mtime_ns) != one.times_ns:
                    os.utime(one.path, ns=one.times_ns, follow_symlinks=False)


def found(root: Path = Path("/"), *, beside: Iterable[Path] = ()) -> Shared:
    """Return what is found; `beside`: paths on the way to which folders are looked for at any depth."""
    folders: dict[Path, None] = {}
    devices = []
    waiting, seen = deque([(root, 0)]), 0
    while waiting and seen < _MOST_FOLDERS:
        folder, depth = waiting.popleft()
        for entry in _entries(folder):
            with contextlib.suppress(OSError):
                facts = entry.stat(follow_symlinks=False)
                is_shared = bool(facts.st_mode & stat.S_IWOTH)
                if entry.is_dir(follow_symlinks=False):
                    seen += 1
                    if entry.path in _LEFT_OUT:
                        continue
                    if is_shared:
                        folders[Path(entry.path)] = None
                    if depth + 1 < _LEVELS:
                        waiting.append((Path(entry.path), depth + 1))
                elif is_shared and stat.S_ISCHR(facts.st_mode):
                    devices.append(Device(path=entry.path, times_ns=(facts.st_atime_ns, facts.st_mtime_ns)))
    for path in beside:
        folders |= dict.fromkeys(parent for parent in path.resolve().parents if _is_shared(parent))
    return Shared(folders=tuple(folders), devices=tuple(devices))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listed:
            return list(listed)
    except OSError:
        return []


def _is_shared(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return False
