"""Find processes in /proc and end them. Linux only; knows nothing of roles."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

_STATUS: Final = re.compile(rb"^State:\t(\w).*?^PPid:\t(\d+).*?^Uid:\t(\d+)", re.MULTILINE | re.DOTALL)
"""https://man7.org/linux/man-pages/man5/proc_pid_status.5.html; a newline in a process's name is escaped there."""


class Process(Struct, frozen=True, kw_only=True):
    """A running process; zombies are not."""

    pid: int
    parent: int
    uid: int


def running() -> Iterator[Process]:
    """Return the processes that run now."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            found = _STATUS.search((folder / "status").read_bytes())
            if found is not None and found[1] not in {b"Z", b"X"}:
                yield Process(pid=int(folder.name), parent=int(found[2]), uid=int(found[3]))


def wait_gone(*, uid: int, timeout_s: float) -> bool:
    """Wait until a user has no process; says whether that came to be."""
    deadline = time.monotonic() + timeout_s
    while any(process.uid == uid for process in running()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def kill_descendants(*, timeout_s: float, but: Collection[int] = ()) -> bool:
    """Kill all that descends from this process, which must be a subreaper; says whether nothing is left.

    `but` names processes that stay, with all that descends from them.
    """
    deadline = time.monotonic() + timeout_s
    while found := descendants(os.getpid(), but=but):
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def descendants(of: int, *, but: Collection[int] = ()) -> list[int]:
    """Return the ids of all processes that descend from one; `but` names those that are left out with theirs."""
    children: dict[int, list[int]] = {}
    for process in running():
        children.setdefault(process.parent, []).append(process.pid)
    found, queue = [], [of]
    while queue:
        below = [pid for pid in children.get(queue.pop(), []) if pid not in but]
        found += below
        queue += below
    return found
