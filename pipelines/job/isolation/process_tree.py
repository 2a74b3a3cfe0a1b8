"""Find processes in /proc and end them. Linux only; knows nothing of roles."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct


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
        with contextlib.suppress(OSError, KeyError, ValueError, IndexError):
            fields = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
            if fields["State"].split()[0] not in {"Z", "X"}:
                yield Process(pid=int(folder.name), parent=int(fields["PPid"]), uid=int(fields["Uid"].split()[0]))


def wait_gone(*, uid: int, timeout_s: float) -> bool:
    """Wait until a user has no process; says whether that came to be."""
    deadline = time.monotonic() + timeout_s
    while any(process.uid == uid for process in running()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def kill_descendants(*, timeout_s: float) -> bool:
    """Kill all that descends from this process, which must be a subreaper; says whether nothing is left."""
    deadline = time.monotonic() + timeout_s
    while found := _descendants(os.getpid()):
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _descendants(of: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for process in running():
        children.setdefault(process.parent, []).append(process.pid)
    found, queue = [], [of]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found
