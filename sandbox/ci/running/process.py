"""Run one script as a process group of its own, stream its output, and leave nothing of it behind.

A job's processes are found by their group; those that left it, by their working folder or environment. This is no
sandbox: they run as our user, with our network and file system.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

import msgspec

from sandbox.ci.running.job_log import JobLog

GRACE_S = 2.0
"""Between SIGTERM and SIGKILL."""


class End(Enum):
    """How a script ended."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a script ended, with its exit code when it exited."""

    how: End
    code: int = 0


async def run(
    script: Path,
    *,
    cwd: Path,
    environment: Mapping[str, str],
    log: JobLog,
    timeout_s: float,
    canceled: asyncio.Event,
) -> Ended:
    """Run `bash SCRIPT` to its end, its time limit, or until `canceled` is set."""
    process = await asyncio.create_subprocess_exec(
        "bash",
        "--noprofile",
        "--norc",
        str(script),
        cwd=cwd,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    pump = asyncio.create_task(_pump(process, log))
    exited = asyncio.create_task(process.wait())
    stop = asyncio.create_task(canceled.wait())
    try:
        await asyncio.wait({exited, stop}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            code = exited.result()
            return Ended(how=End.EXITED, code=128 - code if code < 0 else code)
        await _terminate(process.pid, exited)
        return Ended(how=End.CANCELED if stop.done() else End.TIMED_OUT)
    finally:
        stop.cancel()
        _kill(process.pid, environment)
        await exited
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pump, GRACE_S)


async def _pump(process: asyncio.subprocess.Process, log: JobLog) -> None:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    while chunk := await process.stdout.read(65536):
        log.write(chunk)


async def _terminate(group: int, exited: "asyncio.Task[int]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
    await asyncio.wait({exited}, timeout=GRACE_S)


def _kill(group: int, environment: Mapping[str, str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    build = environment["CI_PROJECT_DIR"]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if _belongs(entry, build):
                    os.kill(int(entry.name), signal.SIGKILL)


def _belongs(process: Path, build: str) -> bool:
    """Tell whether a process works in the build folder or was started with it in its environment."""
    folder = str((process / "cwd").readlink())
    if folder == build or folder.startswith(f"{build}/"):
        return True
    return f"CI_PROJECT_DIR={build}".encode() in (process / "environ").read_bytes().split(b"\0")
