"""How many calls one session has under way, so that no job takes the whole gateway. Keeps counts in memory only."""

from __future__ import annotations

from collections import Counter
from typing import Final

from receiver.gateway.policy import Refused

MOST: Final = 4
"""Calls of one session at the same time; an agent makes one after the other."""

RETRY_S: Final = 2


class Seat:
    """Taken by one call until each of those that hold it has let go."""

    def __init__(self, seats: Seats, session: int) -> None:
        """Begin with one holder."""
        self._seats = seats
        self._session = session
        self._holders = 1

    def hold(self) -> None:
        """Keep the seat taken for one more holder."""
        self._holders += 1

    def let_go(self) -> None:
        """Give the seat up for one holder."""
        self._holders -= 1
        if not self._holders:
            self._seats.free(self._session)


class Seats:
    """The seats of all sessions."""

    def __init__(self) -> None:
        """Begin with every seat free."""
        self._taken: Counter[int] = Counter()

    def take(self, session: int) -> Seat:
        """Return a seat that its holder lets go of. Raises Refused when the session has taken all of its own."""
        if self._taken[session] >= MOST:
            sentence = f"This job has {MOST} calls under way already; try again."
            raise Refused(429, "rate_limit_error", sentence, retry_after_s=RETRY_S)
        self._taken[session] += 1
        return Seat(self, session)

    def free(self, session: int) -> None:
        """Count one call less. For Seat only."""
        self._taken[session] -= 1
        if not self._taken[session]:
            del self._taken[session]
