"""Run one command confined, as told in JSON: `python -I -S confined_command.py PLAN COMMAND…`. A script, not imported.

With namespaces the command gets processes, IPC objects, mounts and monotonic clocks of its own, and its end is the end
of all that it started. With Landlock it may read and write only what it is shown. In any case it gets its user.
The plan's `report` is a descriptor that says `confined` just before the command takes over, else what failed. The
command does not inherit it, nor does a process that the command can look into hold it.
Imports nothing of ours and nothing that is installed: it runs before and outside of any checkout.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import stat
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

_NEWTIME, _NEWNS, _NEWIPC, _NEWUSER, _NEWPID = 0x80, 0x20000, 0x8000000, 0x10000000, 0x20000000  # linux/sched.h
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18  # linux/mount.h
_RDONLY, _NOATIME, _ATIME_MASK = 0x1, 0x10, 0x70  # MOUNT_ATTR_*
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_SETATTR, _LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 442, 444, 445, 446  # alike on all architectures
_PDEATHSIG, _NO_NEW_PRIVS = 1, 38
_OF_FILES = 1 | 2 | 4 | 1 << 14
"""Those of Landlock's rights that a file can have."""
MONOTONIC_START_S = 100_000
"""What the monotonic clocks of a command begin at."""


def main(plan: dict[str, Any], command: Sequence[str]) -> NoReturn:
    """Confine this process as planned and become the command."""
    report: int = plan["report"]
    os.set_inheritable(report, False)  # noqa: FBT003 - its only form
    try:
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, 0))  # message queues can't always be listed, nor then removed
        _prctl(_NO_NEW_PRIVS, 1)
        if plan["means"] == "namespaces":
            _enter_namespaces(plan)
        _become(plan["uid"])
        if plan["means"] == "landlock":
            _restrict(plan)
        os.umask(0o077)
    except OSError as error:
        os.write(report, str(error).encode(errors="replace"))
        os._exit(1)
    os.write(report, b"confined")
    try:
        os.execvpe(command[0], list(command), os.environ)  # noqa: S606 - without a shell
    except OSError as error:
        sys.stderr.write(f"{command[0]} can't be run: {error}\n")
        sys.stderr.flush()
        os._exit(127)


def _enter_namespaces(plan: dict[str, Any]) -> None:
    """Enter new namespaces; returns in the process that is to become the command."""
    flags = _NEWNS | _NEWIPC | _NEWPID
    if plan["time"]:
        flags |= _NEWTIME
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        flags |= _NEWUSER
    _check(_libc.unshare(flags), "unshare")
    if uid != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    if plan["time"]:
        clocks = (("monotonic", time.CLOCK_MONOTONIC), ("boottime", time.CLOCK_BOOTTIME))
        for name, clock in clocks:
            offset = MONOTONIC_START_S - int(time.clock_gettime(clock))
            Path("/proc/self/timens_offsets").write_text(f"{name} {offset} 0")
    _fork_and_wait(
        plan["report"]
    )  # only a child is in the new process namespace: its first process, whose end ends all others
    _prctl(_PDEATHSIG, signal.SIGKILL)
    _mount_view(plan)
    _fork_and_wait(plan["report"])


def _fork_and_wait(report: int) -> None:
    """Return in a child, which alone goes on to report; this process ends as the child does."""
    child = os.fork()
    if child == 0:
        return
    os.close(report)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        found, status = os.wait()
        if found == child:
            break
    if os.WIFSIGNALED(status):
        ended_by = os.WTERMSIG(status)
        if ended_by not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(ended_by, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if os.getpid() != 1:
            os.kill(os.getpid(), ended_by)
        os._exit(128 + ended_by)
    os._exit(os.WEXITSTATUS(status))


def _mount_view(plan: dict[str, Any]) -> None:
    """Show what the plan shows, all else read-only or, where it is hidden, replaced by a new empty folder."""
    hidden = sorted({path.resolve() for path in map(Path, plan["hidden"]) if path.is_dir()})
    writable = {path.resolve() for path in map(Path, plan["writable"]) if path.exists()}
    shown = writable | {path.resolve() for path in map(Path, plan["readable"]) if path.exists()}
    opened = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in sorted(shown)}
    _mount(None, Path("/"), None, _MS_REC | _MS_PRIVATE)
    changeable = set(writable)
    for path in hidden:
        if not path.is_dir():  # it was hidden with its parent
            continue
        is_shared = path.stat().st_mode & stat.S_IWOTH
        _mount("tmpfs", path, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777" if is_shared else "mode=0755")
        if is_shared:
            changeable.add(path)
    for path, descriptor in opened.items():
        if path in writable or any(path.is_relative_to(place) for place in hidden):
            _make_point(path, descriptor)
            _mount(f"/proc/self/fd/{descriptor}", path, None, _MS_BIND | _MS_REC)
        os.close(descriptor)
    _mount("proc", Path("/proc"), "proc", _MS_NOSUID | _MS_NODEV)
    if plan["uid"] is None:  # in a user namespace of its own nobody may change how access times are kept
        _set_attributes(Path("/"), _AT_RECURSIVE, add=_RDONLY)
    else:
        _set_attributes(Path("/"), _AT_RECURSIVE, add=_RDONLY | _NOATIME, remove=_ATIME_MASK)
    for path in (*sorted(changeable), Path("/proc")):
        _set_attributes(path, 0, remove=_RDONLY)
    os.chdir(plan["cwd"])  # through the new mounts


def _make_point(path: Path, descriptor: int) -> None:
    """Make what a mount can be put on, where a hidden folder holds it no more."""
    if path.exists():
        return
    if Path(f"/proc/self/fd/{descriptor}").is_dir():
        path.mkdir(mode=0o755, parents=True)
    else:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.touch(mode=0o644)


def _become(uid: int | None) -> None:
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def _restrict(plan: dict[str, Any]) -> None:
    """Restrict this process by Landlock: https://docs.kernel.org/userspace-api/landlock.html."""
    version = _libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    _check(version, "landlock_create_ruleset")
    execute, write, read, read_folder = 1, 2, 4, 8  # linux/landlock.h
    rights = (1 << 13) - 1
    rights |= (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0)
    scopes = 3 if version >= 6 else 0  # no abstract sockets, no signals to processes outside
    attributes = struct.pack("QQQ", rights, 0, scopes) if version >= 6 else struct.pack("Q", rights)
    rules = _check(
        _libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0), "landlock_create_ruleset"
    )
    for path in _around([Path(path).resolve() for path in plan["hidden"]]):
        devices = write if path.is_relative_to("/dev") or path == Path("/proc") else 0
        _allow(rules, path, execute | read | read_folder | devices)
    for path in map(Path, plan["readable"]):
        _allow(rules, path, execute | read | read_folder)
    for path in map(Path, plan["writable"]):
        _allow(rules, path, rights)
    _check(_libc.syscall(_LANDLOCK_RESTRICT, rules, 0), "landlock_restrict_self")
    os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= _OF_FILES
    added = _libc.syscall(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights, descriptor), 0)
    os.close(descriptor)
    _check(added, f"landlock_add_rule {path}")


def _around(hidden: Sequence[Path]) -> Iterator[Path]:
    """Yield folders and files that together are all of the machine but what is hidden."""
    waiting = [Path("/")]
    while waiting:
        path = waiting.pop()
        if path in hidden or path.is_symlink():  # what a link leads to is allowed by its own name, or is not
            continue
        if any(one.is_relative_to(path) for one in hidden):
            with contextlib.suppress(OSError):
                waiting += path.iterdir()
        else:
            yield path


def _mount(source: str | None, target: Path, kind: str | None, flags: int, data: str | None = None) -> None:
    encoded = [None if text is None else text.encode() for text in (source, kind, data)]
    result = _libc.mount(encoded[0], os.fsencode(target), encoded[1], ctypes.c_ulong(flags), encoded[2])
    _check(result, f"mount {target}")


def _set_attributes(path: Path, flags: int, *, add: int = 0, remove: int = 0) -> None:
    attributes = struct.pack("QQQQ", add, remove, 0, 0)
    result = _libc.syscall(
        _MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, attributes, ctypes.c_size_t(len(attributes))
    )
    _check(result, f"mount_setattr {path}")


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
