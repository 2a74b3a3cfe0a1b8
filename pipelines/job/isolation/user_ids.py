"""User ids for untrusted code: a block of its own for every job on a machine. Knows nothing of what runs under them.

A job ends "all processes of this user", so two jobs must never share a user: also not two jobs of the same number from
two GitLab instances whose runners are on one machine. The kernel lets go of a block when its job's process ends.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path
from typing import Final

FIRST: Final = 50_000
BLOCKS: Final = 3_000
"""Below 65,536, so that rootless containers can map them; people's accounts are rarely there."""

_LOCKS: Final = Path("/tmp/.bug-fix-uids")  # noqa: S108 - the folder is root's alone, see `_folder`


class NoUidsError(Exception):
    """No block of user ids can be had on this machine."""


class UidBlock:
    """A block of user ids that no other job on this machine has, as long as this process lives."""

    def __init__(self, size: int, *, preferred: int, folder: Path = _LOCKS) -> None:
        """Claim a block of `size` ids, the one of number `preferred` if it is free. Raises NoUidsError."""
        held, number = _claim(_folder(folder), preferred % BLOCKS)
        weakref.finalize(self, os.close, held)
        self.first = FIRST + number * size


def _folder(path: Path) -> Path:
    """Return the folder of the locks: nobody but root may have made it or may write there."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise NoUidsError(f"{path} can't be made: {error}") from error
    if not path.is_dir() or path.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise NoUidsError(f"{path} is not a folder of this user's alone; remove it.")
    return path


def _claim(folder: Path, preferred: int) -> tuple[int, int]:
    """Return the descriptor that holds the lock, and the block's number."""
    for step in range(BLOCKS):
        number = (preferred + step) % BLOCKS
        lock = os.open(folder / str(number), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return lock, number
    raise NoUidsError("All user ids for untrusted code are taken by other jobs.")
