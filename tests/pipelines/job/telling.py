"""A reproduction test that tries to tell one of its runs from another, by everything it can leave, find or see.

Run by the job as it runs any; prints what it found as one line of JSON. `seen`: traces of a run before, by name;
`facts`: what is around it, which has to be the same in each run; `clocks`: seconds since the machine began, by two
clocks. Uses nothing but the standard library.
"""

# ruff: noqa: S108 - leaving files where everybody may is the point

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

KEY = 0x62756721
LIBC = ctypes.CDLL(None, use_errno=True)
KEYCTL, ADD_KEY = {"x86_64": (250, 248), "aarch64": (219, 217)}.get(platform.machine(), (-1, -1))
PORT = 48_117
SEEN: dict[str, Callable[[], bool]] = {}


def means(found: Callable[[], bool]) -> Callable[[], bool]:
    """Register what says whether there was a run before, and leaves that there was one."""
    SEEN[found.__name__] = found
    return found


def left(path: Path) -> bool:
    """Say whether a file is there, and leave it."""
    was = os.path.lexists(path)
    with contextlib.suppress(OSError):
        path.write_text("x")
        path.chmod(0o666)
    return was


@means
def a_file_in_tmp() -> bool:
    return left(Path("/tmp/told-apart"))


@means
def a_file_in_var_tmp() -> bool:
    return left(Path("/var/tmp/told-apart"))


@means
def a_file_in_shared_memory() -> bool:
    return left(Path("/dev/shm/told-apart"))


@means
def a_file_among_the_locks() -> bool:
    return left(Path("/run/lock/told-apart"))


@means
def a_file_in_any_folder_that_is_writable() -> bool:
    return any([left(folder / "told-apart-too") for folder in writable()])  # noqa: C419 - in all of them


@means
def a_file_at_home() -> bool:
    return left(Path.home() / "told-apart")


@means
def a_program_at_home() -> bool:
    place = Path.home() / ".local" / "bin"
    place.mkdir(parents=True, exist_ok=True)
    return left(place / "told-apart")


@means
def a_file_among_the_results() -> bool:
    return left(Path(os.environ["BUG_FIX_NOTES"]).with_name("told-apart"))


@means
def a_file_beside_the_test() -> bool:
    return left(Path(__file__).with_name("told-apart"))


@means
def a_folder_that_is_too_deep_to_be_removed() -> bool:
    top = Path.home() / "deep"
    was = top.exists()
    with contextlib.suppress(OSError):
        top.mkdir()
        os.chdir(top)
        for _ in range(1_100):
            os.mkdir("d")  # noqa: PTH102 - where the process is
            os.chdir("d")
    os.chdir("/")
    return was


@means
def a_folder_without_rights() -> bool:
    top = Path.home() / "closed"
    was = os.path.lexists(top)
    with contextlib.suppress(OSError):
        (top / "inner").mkdir(parents=True)
        (top / "inner").chmod(0)
        top.chmod(0)
    return was


@means
def a_segment_of_shared_memory() -> bool:
    was = LIBC.shmget(KEY, 0, 0) != -1
    LIBC.shmget(KEY, 4096, 0o1666)
    return was


@means
def a_semaphore() -> bool:
    was = LIBC.semget(KEY, 0, 0) != -1
    LIBC.semget(KEY, 1, 0o1666)
    return was


@means
def a_queue_of_messages() -> bool:
    was = LIBC.msgget(KEY, 0) != -1
    LIBC.msgget(KEY, 0o1666)
    return was


@means
def a_named_queue_of_messages() -> bool:
    was = LIBC.mq_open(b"/told-apart", os.O_RDONLY) != -1
    LIBC.mq_open(b"/told-apart", os.O_CREAT | os.O_RDWR, 0o666, None)
    return was


@means
def a_key_of_the_user() -> bool:
    return key_in(-4, -5)


@means
def a_key_that_persists() -> bool:
    ring = LIBC.syscall(KEYCTL, 22, -1, -2)
    return ring > 0 and key_in(ring)


def key_in(*rings: int) -> bool:
    was = any(LIBC.syscall(KEYCTL, 10, ring, b"user", b"told-apart", 0) > 0 for ring in rings)
    for ring in rings:
        LIBC.syscall(ADD_KEY, b"user", b"told-apart", b"x", ctypes.c_size_t(1), ring)
    return was


@means
def a_process_that_goes_on() -> bool:
    """Leave one that holds a port and an abstract socket, in a session of its own."""
    was = answers(socket.AF_INET, ("127.0.0.1", PORT)) or answers(socket.AF_UNIX, "\0told-apart")
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(3, 100):
                with contextlib.suppress(OSError):
                    os.close(number)
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            with contextlib.suppress(OSError):
                listening = socket.create_server(("127.0.0.1", PORT), reuse_port=True)
                named = socket.socket(socket.AF_UNIX)
                named.bind("\0told-apart")
                named.listen()
                time.sleep(600)
                listening.close()
        os._exit(0)
    os.wait()
    return was


@means
def a_program_that_goes_on() -> bool:
    was = any(b"told-apart-sleeper" in line for line in command_lines())
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            quiet = os.open("/dev/null", os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(quiet, number)
            os.execv("/bin/sleep", ["told-apart-sleeper", "600"])  # noqa: S606 - by another name
        os._exit(0)
    os.wait()
    return was


@means
def a_device_that_was_touched() -> bool:
    was = Path("/dev/full").stat().st_mtime - Path("/dev/zero").stat().st_mtime > 1
    with contextlib.suppress(OSError):
        os.utime("/dev/full")
    return was


@means
def the_words_of_a_side_anywhere() -> bool:
    around = " ".join([*sys.argv, *os.environ.values(), __file__, str(Path.cwd()), *names_above()])
    return any(word in around for word in ("before", "after", "patched", "without-"))


def writable() -> Iterator[Path]:
    """Yield folders of the four upper levels that this user may write to."""
    waiting = [(Path("/"), 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            below = [one for one in folder.iterdir() if one.is_dir() and not one.is_symlink()]
        except OSError:
            continue
        for one in below:
            if str(one) in {"/proc", "/sys"}:
                continue
            if os.access(one, os.W_OK | os.X_OK):
                yield one
            if depth < 3:
                waiting.append((one, depth + 1))


def names_above() -> Iterator[str]:
    for folder in Path(__file__).parents:
        with contextlib.suppress(OSError):
            yield from (one.name for one in folder.iterdir())


def answers(family: int, address: object) -> bool:
    with socket.socket(family) as probe:
        probe.settimeout(1)
        return probe.connect_ex(address) == 0  # type: ignore[arg-type]  # an address of either family


def command_lines() -> Iterator[bytes]:
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield one.read_bytes()


def facts(base_url: str) -> dict[str, object]:
    """Return what has to be the same in each run."""
    return {
        "file": __file__,
        "folder": str(Path.cwd()),
        "arguments": sys.argv,
        "environment": dict(os.environ),
        "application": base_url,
        "user": [os.getuid(), os.getgid(), os.getgroups(), os.umask(0o077)],
        "names above": sorted(names_above()),
        "limits": [resource.getrlimit(kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)],
        "input": str(Path("/proc/self/fd/0").readlink()),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "time zone": time.tzname,
        "machine": [*platform.uname()],
        "mounts": sum(1 for _ in Path("/proc/self/mountinfo").open()),
        "modes": [Path(path).stat().st_mode for path in ("/tmp", "/dev/shm", __file__)],
    }


def test_that_knows_too_much(base_url: str) -> None:
    around = facts(base_url)
    clocks = [time.clock_gettime(clock) for clock in (time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME)]
    told = {"seen": sorted(name for name, found in SEEN.items() if found()), "facts": around, "clocks": clocks}
    sys.stdout.write(f"TOLD {json.dumps(told)}\n")
    with urllib.request.urlopen(f"{base_url}/?prices=4,5") as answer:  # noqa: S310 - the application's
        assert answer.read() == b"8"
