"""Shares with their uncertainty: how many of how many, and where the true share lies. Pure."""

from __future__ import annotations

from math import sqrt
from typing import Final

from msgspec import Struct

Z: Final = 1.959964
"""Of the standard normal distribution, for an interval of 95 %."""


class Share(Struct, frozen=True, kw_only=True):
    """A share with its interval; without one where there is nothing to count."""

    count: int
    of: int
    low: float | None
    """Lower end of the interval, 0 to 1."""
    high: float | None

    @property
    def value(self) -> float | None:
        """Return the share, 0 to 1; None of nothing."""
        return self.count / self.of if self.of else None


def share(count: int, of: int) -> Share:
    """Return a share with its 95 % interval, by Wilson's score: few observations give a wide one.

    Source: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927).
    """
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share.")
    if of == 0:
        return Share(count=0, of=0, low=None, high=None)
    p, z2 = count / of, Z * Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    low = middle - half if count else 0.0  # exactly, without what rounding leaves
    high = middle + half if count < of else 1.0
    return Share(count=count, of=of, low=low, high=high)
