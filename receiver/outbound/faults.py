"""Fault points: places where a test lets the process die, to prove that nothing is lost or doubled.

A point is an effect's kind and a place: `StartPipeline:before_post` and `:after_post` around a request that must not be
made twice, `OpenMergeRequest:before_push` and `:after_push` around the commit, `…:after_commit` when all is stored.
"""

from __future__ import annotations

import os
from typing import Protocol


class Faults(Protocol):
    """Told when a point is reached."""

    def reach(self, point: str) -> None:
        """Return, or don't."""


class NoFaults:
    """What runs in production."""

    def reach(self, point: str) -> None:
        """Return."""


class DieAt:
    """Die at one point, as SIGKILL would: nothing is closed, flushed or rolled back by us."""

    def __init__(self, point: str) -> None:
        self.point = point

    def reach(self, point: str) -> None:
        """End the process at the configured point."""
        if point == self.point:
            os._exit(137)


def configured(point: str | None) -> Faults:
    """Return what BUG_FIX_FAULT asks for: nothing, or to die at a point such as `StartPipeline:after_post`."""
    return DieAt(point) if point else NoFaults()
