"""Read what a process writes until it ends, whoever keeps the pipe open. Starts nothing."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time

from msgspec import Struct

from pipelines.job import limits


class Completed(Struct, frozen=True, kw_only=True):
    """A command that ended, or was ended."""

    exit_code: int
    """Negative: the signal that ended it."""
    output: str
    """Standard output and error together; the last 10 MB, untrusted."""
    seconds: float
    timed_out: bool = False


def read_until_end(process: subprocess.Popen[bytes], *, deadline: float) -> tuple[bytes, bool]:
    """Return the output up to the end of the process itself: a child that it left behind may keep the pipe open.

    Also says whether the time was over: then the process group was ended. `deadline` is of the monotonic clock.
    """
    assert process.stdout is not None  # noqa: S101 - started with a pipe by our caller
    kept = bytearray()
    timed_out = False
    with process.stdout as stream, selectors.DefaultSelector() as selector:
        os.set_blocking(stream.fileno(), False)
        selector.register(stream, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            if not selector.select(timeout=0 if ended else 0.05):
                if ended:
                    break
                if time.monotonic() > deadline:
                    timed_out = True
                    kill_group(process)
                continue
            chunk = stream.read(65_536)
            if not chunk:
                break
            kept += chunk
            del kept[: -limits.COMMAND_OUTPUT]
        if process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
            timed_out = timed_out or process.poll() is None
    return bytes(kept), timed_out


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
