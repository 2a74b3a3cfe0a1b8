"""List and remove what a user left in the kernel: System V and POSIX IPC objects, keys. Files are others' business.

Also a script that users run on themselves (`python -I -S kernel_objects.py KEPT`), because only an owner may remove
these in a container. Imports nothing of ours and nothing that is installed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import struct
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

Named = tuple[str, str]
"""An object: its kind (`shm`, `msg`, `sem`, `mqueue`, `key`), and its id or name."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_IPC_RMID = 0
_KEYCTL = {"x86_64": 250, "aarch64": 219}.get(platform.machine())
_GET_ID, _UNLINK, _READ, _GET_PERSISTENT = 0, 9, 11, 22  # linux/keyctl.h
_PROCESS_KEYRING, _USER_KEYRING, _USER_SESSION_KEYRING = -2, -4, -5
_MQUEUE = Path("/dev/mqueue")


def listed() -> frozenset[Named]:
    """Return the objects of this process's user, as far as they can be listed."""
    return frozenset((*_system_v(os.geteuid()), *_message_queues(os.geteuid()), *_keys()))


def remove(*, kept: Collection[Named] = ()) -> None:
    """Remove the objects of this process's user, but those that are kept."""
    for kind, name in listed() - set(kept):
        match kind:
            case "shm":
                _libc.shmctl(int(name), _IPC_RMID, None)
            case "msg":
                _libc.msgctl(int(name), _IPC_RMID, None)
            case "sem":
                _libc.semctl(int(name), 0, _IPC_RMID)
            case "mqueue":
                with contextlib.suppress(OSError):
                    (_MQUEUE / name).unlink()
            case _:
                key, _, ring = name.partition(" ")
                _keyctl(_UNLINK, int(key), int(ring))


def _system_v(uid: int) -> Iterator[Named]:
    for kind, id_name in (("shm", "shmid"), ("msg", "msqid"), ("sem", "semid")):
        try:
            head, *rows = Path("/proc/sysvipc", kind).read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):
            continue
        for row in rows:
            facts = dict(zip(head.split(), row.split(), strict=False))
            if str(uid) in {facts.get("uid"), facts.get("cuid")}:
                yield kind, facts[id_name]


def _message_queues(uid: int) -> Iterator[Named]:
    with contextlib.suppress(OSError):
        for queue in _MQUEUE.iterdir():
            if queue.lstat().st_uid == uid:
                yield "mqueue", queue.name


def _keys() -> Iterator[Named]:
    """Yield the keys in the keyrings that outlive a user's processes, each with its keyring."""
    own = _keyctl(_GET_ID, _USER_KEYRING, 1)  # linked in that of the session, where it stays
    persistent = _keyctl(_GET_PERSISTENT, -1, _PROCESS_KEYRING)
    for ring in (_USER_KEYRING, _USER_SESSION_KEYRING, *([persistent] if persistent > 0 else [])):
        buffer = ctypes.create_string_buffer(64 * 1024)
        length = _keyctl(_READ, ring, ctypes.addressof(buffer), len(buffer))
        for (key,) in struct.iter_unpack("=i", buffer.raw[: max(0, min(length, len(buffer))) // 4 * 4]):
            if key != own:
                yield "key", f"{key} {ring}"


def _keyctl(operation: int, *arguments: int) -> int:
    if _KEYCTL is None:
        return -1
    return int(_libc.syscall(_KEYCTL, ctypes.c_long(operation), *(ctypes.c_long(one) for one in arguments)))


if __name__ == "__main__":
    remove(kept={(kind, name) for kind, name in json.loads(sys.argv[1])})
