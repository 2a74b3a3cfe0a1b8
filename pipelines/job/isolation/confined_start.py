"""Learn from `confined_command.py` whether a command was confined, in a way that the command has no part in.

A pipe that the command does not inherit: until it is at its end the command has not begun. An exit code or a line of
output would not do, since a command may end with any code and write any line.
"""

from __future__ import annotations

import os
import selectors
import time
from types import TracebackType
from typing import Final, Self

from pipelines.job.communication.errors import RunnerError

_CONFINED: Final = b"confined"
"""What `confined_command.py` says."""
_LONGEST: Final = 1_000
"""Bytes that are read."""


class ConfinedStart:
    """A pipe on which one start of a confined command is reported."""

    def __enter__(self) -> Self:
        """Open the pipe; its ends are closed with the block."""
        self._read, self.report = os.pipe()
        self._is_writable = True
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        os.close(self._read)
        self._close_report()

    def check(self, *, timeout_s: float) -> None:
        """Wait until the command that was started with `report` begins. Raises `RunnerError` if it does not."""
        self._close_report()
        said = self._said(deadline=time.monotonic() + timeout_s)
        if said == _CONFINED:
            return
        reason = f"no word within {timeout_s:g} s" if said is None else said.decode(errors="replace").strip()
        raise RunnerError(f"A command can't be confined on this runner: {reason[:300] or 'it ended without a word'}.")

    def _said(self, *, deadline: float) -> bytes | None:
        """Return all that was written up to the end of the pipe; None: the end did not come in time."""
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._read, selectors.EVENT_READ)
            while selector.select(timeout=max(0.0, deadline - time.monotonic())):
                chunk = os.read(self._read, _LONGEST)
                if not chunk:
                    return said
                said = (said + chunk)[:_LONGEST]
        return None

    def _close_report(self) -> None:
        if self._is_writable:
            self._is_writable = False
            os.close(self.report)
