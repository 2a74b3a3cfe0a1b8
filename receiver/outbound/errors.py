"""What can go wrong when an effect is performed. Retrying is decided by the worker, not here."""

from __future__ import annotations

from datetime import timedelta


class OutboundError(Exception):
    """Base of what performing an effect raises; the message is a sentence for people."""


class UnavailableError(OutboundError):
    """The other side did not answer, or asked to come back later. Worth another attempt."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RefusedError(OutboundError):
    """The other side understood and said no, or what was asked makes no sense. Another attempt would end the same."""


class NotThereError(RefusedError):
    """What was looked for does not exist."""
