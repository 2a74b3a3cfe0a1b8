"""How much is measured: rounds, seconds, samples. `--quick` is for trying the bench, not for figures."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

Tell = Callable[[str], None]
"""Says what is going on, a line at a time."""


class Plan(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int = 5
    """Of the measures whose rounds are seconds long."""
    hooks_s: float = 8.0
    """Seconds of one round of hooks, and of pgbench beside it."""
    connections: int = 32
    tickets: int = 25
    """In a round of three; at rest, and as many under noise."""
    noise_per_s: float = 20.0
    generations: int = 200
    """Of each size, in a round."""
    runs: int = 2
    """Whole runs of PL-479."""
    pairs: int = 100
    """Of calls with and without the gateway, in a round."""
    silence_s: float = 60.0
    """Seconds for which connections are held that say nothing."""


FULL = Plan()
QUICK = Plan(rounds=2, hooks_s=2.0, tickets=4, generations=20, runs=1, pairs=15, silence_s=8.0)
