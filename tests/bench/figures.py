"""What the bench's figures are and how they are computed: percentiles, spreads, ratios, verdicts. Measures nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from msgspec import Struct


class Bound(StrEnum):
    """How a figure is held against its target."""

    AT_LEAST = "≥"
    AT_MOST = "≤"
    BELOW = "<"


class Verdict(StrEnum):
    """Whether the target is met."""

    MET = "met"
    MISSED = "missed"
    NONE = ""
    """There is no target: the figure explains another one."""


class Target(Struct, frozen=True, kw_only=True):
    """What a figure should be."""

    bound: Bound
    value: float


class Figure(Struct, frozen=True, kw_only=True):
    """One figure, measured in several rounds."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    """The figure of each round."""
    pooled: float | None = None
    """The figure over the samples of all rounds; percentiles near the end need them all."""
    target: Target | None = None

    @property
    def value(self) -> float:
        """What is held against the target: over all samples, else the median of the rounds."""
        return statistics.median(self.rounds) if self.pooled is None else self.pooled

    @property
    def verdict(self) -> Verdict:
        """Whether the target is met."""
        if self.target is None:
            return Verdict.NONE
        match self.target.bound:
            case Bound.AT_LEAST:
                met = self.value >= self.target.value
            case Bound.AT_MOST:
                met = self.value <= self.target.value
            case Bound.BELOW:
                met = self.value < self.target.value
            case never:
                assert_never(never)
        return Verdict.MET if met else Verdict.MISSED


class Measured(Struct, frozen=True, kw_only=True):
    """What one measure found."""

    figures: tuple[Figure, ...]
    facts: dict[str, str] = {}
    """What has to be known to read the figures."""


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least `share` (0 to 1] of all samples do not exceed: the nearest rank."""
    if not samples:
        raise ValueError("no samples")
    if not 0 < share <= 1:
        raise ValueError(f"{share} is not a share")
    # rounded first: 0.07 * 100 is a little more than 7 in binary, and its rank would be 8
    return sorted(samples)[math.ceil(round(share * len(samples), 9)) - 1]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """Return ours ÷ theirs round by round: both sides of a round saw the same machine."""
    return tuple(one / other for one, other in zip(ours, theirs, strict=True))


def differences(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """Return ours − theirs pair by pair."""
    return tuple(one - other for one, other in zip(ours, theirs, strict=True))


def over_rounds(
    name: str, *, unit: str, samples: Sequence[Sequence[float]], share: float, target: Target | None = None
) -> Figure:
    """Return a percentile of each round's samples, and over all of them."""
    return Figure(
        name=name,
        unit=unit,
        rounds=tuple(percentile(one, share) for one in samples),
        pooled=percentile([value for one in samples for value in one], share),
        target=target,
    )
