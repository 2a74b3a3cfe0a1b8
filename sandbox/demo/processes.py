"""Start, kill and stop the processes of a demo, each in its own process group with its own log. Knows no protocol."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class DemoError(Exception):
    """The demo can't go on; the message says why and where to look."""


class Process:
    """A child process that writes to a log file."""

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        """Start `command` with exactly `environment`."""
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                list(command),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is its group's id too."""
        return self._process.pid

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it and all its children at once, as a crash would."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def ask_to_end(self) -> None:
        """Ask it to end, and don't wait."""
        self._signal(signal.SIGTERM)

    def stop(self, *, patience_s: float = 8.0) -> None:
        """Ask it to end; insist after `patience_s` seconds."""
        self.ask_to_end()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def tail(self, lines: int = 12) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self.running():
            os.killpg(self.pid, number)


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def free_port() -> int:
    """Return a TCP port that was free on the loopback interface a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ready: Callable[[], bool], *, what: str, process: Process | None, within_s: float) -> None:
    """Return once `ready()`; raise DemoError when `process` ends first or `within_s` seconds pass."""
    deadline = time.monotonic() + within_s
    while not ready():
        if process is not None and not process.running():
            raise DemoError(f"{what} did not start. The end of {process.log}:\n{process.tail()}")
        if time.monotonic() > deadline:
            more = f" The end of {process.log}:\n{process.tail()}" if process is not None else ""
            raise DemoError(f"{what} was not ready after {within_s:.0f} s.{more}")
        time.sleep(0.05)
