"""The emulator's own time, and the pace at which scripted turns answer. Reads the given clock, never the system's."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum


class Pace(Enum):
    """What a turn's `delay_s` does."""

    REAL = "real"
    """The answer waits so long."""
    SIMULATED = "simulated"
    """The emulator's clock advances by so much, and the answer comes at once."""


class Clock:
    """A clock that can be put forward, so that cache entries expire without waiting."""

    def __init__(self, source: Callable[[], datetime], *, pace: Pace) -> None:
        self._source = source
        self._pace = pace
        self.offset = timedelta()

    def now(self) -> datetime:
        """Tell the emulator's time, aware."""
        return self._source() + self.offset

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        self.offset += timedelta(seconds=seconds)

    async def delay(self, seconds: float, *, unless: asyncio.Event) -> None:
        """Let a turn's delay pass; a client that leaves ends it early."""
        if seconds <= 0:
            return
        if self._pace is Pace.SIMULATED:
            self.advance(seconds)
            return
        try:
            await asyncio.wait_for(unless.wait(), seconds)
        except TimeoutError:
            return
