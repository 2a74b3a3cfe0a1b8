"""CI_PROJECT_DIR as untrusted code must not touch it: held by descriptor, closed to other users, written without links.

GitLab's helpers make that folder, and often its parents, so that everybody may write there. Whoever may rename its
entries could lead this program, often root, to any file of the machine. Protects nothing from code of our own user.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.job.communication.errors import JobError
from pipelines.job.isolation import file_trees

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def held(project_dir: Path) -> Iterator[Path]:
    """Yield a path that means this very folder whatever is put in its place; until the end it is closed to others.

    Raises `JobError` when the folder is not there, or when root may not close it.
    """
    try:
        descriptor = os.open(project_dir, _FOLDER)
    except OSError as error:
        raise JobError(f"CI_PROJECT_DIR {project_dir} can't be opened: {error.strerror}.") from error
    try:
        with _closed_to_others(descriptor):
            yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def write(base: Path, relative: Path, data: bytes) -> None:
    """Write a plain file below `base`; whatever stands in its way is removed, and no link below `base` is followed."""
    with contextlib.ExitStack() as opened:
        folder = os.open(base, _FOLDER)
        opened.callback(os.close, folder)
        for name in relative.parts[:-1]:
            folder = _enter(folder, name)
            opened.callback(os.close, folder)
        file_trees.remove_at(folder, relative.name)
        with open(os.open(relative.name, _NEW_FILE, 0o644, dir_fd=folder), "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(data)


def discard(base: Path, name: str) -> None:
    """Remove an entry of `base` with all in it, following no link; it may be absent."""
    folder = os.open(base, _FOLDER)
    try:
        file_trees.remove_at(folder, name)
    finally:
        os.close(folder)


def _enter(folder: int, name: str) -> int:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=folder)
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o755, dir_fd=folder)
    return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)


@contextmanager
def _closed_to_others(descriptor: int) -> Iterator[None]:
    """Let nobody but this user into the folder; afterwards it is as before, for GitLab to collect what was left."""
    before = os.fstat(descriptor)
    user = os.geteuid()
    if user not in (0, before.st_uid):
        yield  # Another user's folder, and we are not root: there are no other users of ours to keep out.
        return
    try:
        if before.st_uid != user:
            os.fchown(descriptor, user, -1)
        os.fchmod(descriptor, 0o700)
    except OSError as error:
        raise JobError(f"CI_PROJECT_DIR can't be closed to other users: {error.strerror}.") from error
    try:
        yield
    finally:
        if before.st_uid != user:
            os.fchown(descriptor, before.st_uid, -1)
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
