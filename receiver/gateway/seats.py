"""Limit the concurrent calls of a session, so that no job takes the whole gateway. Counts in memory only."""

from __future__ import annotations

from collections import Counter

from receiver import limits
from receiver.gateway.policy import Refused


class Seat:
    """A call's place, free again when every holder has released it."""

    def __init__(self, seats: Seats, session: int) -> None:
        """Start with one holder."""
        self._seats = seats
        self._session = session
        self._holders = 1

    def hold(self) -> None:
        """Add a holder."""
        self._holders += 1

    def let_go(self) -> None:
        """Release one holder."""
        self._holders -= 1
        if not self._holders:
            self._seats.free(self._session)


class Seats:
    """Seats of all sessions."""

    def __init__(self) -> None:
        """Start with all seats free."""
        self._taken: Counter[int] = Counter()

    def take(self, session: int) -> Seat:
        """Return a seat, which its holder releases. Raises Refused when the session has no seat left."""
        if self._taken[session] >= limits.SESSION_CALLS:
            sentence = f"This job has {limits.SESSION_CALLS} calls under way already; try again."
            raise Refused(429, "rate_limit_error", sentence, retry_after_s=limits.SESSION_CALLS_RETRY_S)
        self._taken[session] += 1
        return Seat(self, session)

    def free(self, session: int) -> None:
        """Free a seat. For `Seat` only."""
        self._taken[session] -= 1
        if not self._taken[session]:
            del self._taken[session]
