"""GitLab ends a job by SIGTERM: this raises `JobCancelledError` in the main thread until somebody has dealt with it.

Raising once is not enough. What is raised in a finalizer or in a callback of a weak reference or an event loop is
printed and dropped; and a signal that another thread gets, or that comes just before a system call begins to wait, does
not interrupt that call. So a timer looks again and again whether a job that is to end does so.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pipelines.job import limits
from pipelines.job.communication.errors import JobCancelledError


class _Postponement:
    """How many blocks postpone a cancellation, and what is to be done when the last one ends.

    Of the process, as its signals are: a mask of signals would be of one thread, and what any other thread gets is
    raised in the main one too.
    """

    blocks: int = 0
    look: Callable[[], None] | None = None


_postponement: Final = _Postponement()


class Cancellation:
    """Whether GitLab ends this job."""

    def __init__(self, *, again_s: float = limits.CANCELLED_AGAIN_S) -> None:
        self._again_s = again_s
        self._is_wanted = False

    def watch(self) -> None:
        """Raise `JobCancelledError` from now on when GitLab ends the job. To be called in the main thread."""
        signal.signal(signal.SIGTERM, self._cancel)
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, self._again_s, self._again_s)

    def end(self) -> None:
        """Raise nothing any more: the job ends by itself, or because of this."""
        self._is_wanted = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def _cancel(self, *_: object) -> None:
        self._is_wanted = True
        self._look()

    def _look(self, *_: object) -> None:
        if _postponement.blocks:
            _postponement.look = self._look
            return
        # where it is being dealt with, another would interrupt the ending of what was started
        if self._is_wanted and not _is_being_handled():
            raise JobCancelledError("GitLab ended this job.")


def _is_being_handled() -> bool:
    """Say whether this runs in an `except`, `finally` or `__exit__` that a cancellation led to."""
    error = sys.exception()
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, JobCancelledError):
            return True
        seen.add(id(error))
        error = error.__context__
    return False


@contextmanager
def postponed() -> Iterator[None]:
    """Raise no `JobCancelledError` before the end: a job that is cancelled now cleans up all the same.

    To be called in the main thread; whichever thread gets the signal.
    """
    _postponement.blocks += 1
    try:
        yield
    finally:
        _postponement.blocks -= 1
        if not _postponement.blocks:
            look, _postponement.look = _postponement.look, None
            if look:
                look()
