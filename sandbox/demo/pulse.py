"""Give a sign of life whenever nothing was said for a while, whatever the rest of the demo waits for.

A thread of its own beats: a request that hangs, a world that stops and a machine that is busy make no silence.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

HEARTBEAT_S = 1.5
"""Seconds of silence before a sign of life: two are promised, and a busy machine needs the rest."""


class Pulse:
    """Beats after each silence, during a block."""

    def __init__(
        self,
        beat: Callable[[], None],
        *,
        every_s: float = HEARTBEAT_S,
        clock: Callable[[], float] = time.monotonic,
        ended: threading.Event | None = None,
    ) -> None:
        """Call `beat` after `every_s` seconds in which `spoke` was not called, until `ended` is set."""
        self._beat = beat
        self._every_s = every_s
        self._clock = clock
        self._ended = threading.Event() if ended is None else ended
        self._spoken = clock()
        self._thread: threading.Thread | None = None

    def spoke(self) -> None:
        """Begin to count anew: something was said."""
        self._spoken = self._clock()

    def run(self) -> None:
        """Beat until the end; waits no longer than until the next beat can be due."""
        while not self._ended.wait(max(0.0, self._spoken + self._every_s - self._clock())):
            if self._clock() - self._spoken >= self._every_s:
                self._beat()
                self.spoke()

    def __enter__(self) -> Self:
        """Begin to beat."""
        self.spoke()
        self._thread = threading.Thread(target=self.run, name="pulse", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Beat no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
