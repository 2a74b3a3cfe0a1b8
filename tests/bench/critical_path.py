"""Which jobs a run waited for, and how much of their time was tests and model turns. Pure.

The critical path is found from its end: the job that ended last, before it the job that it waited for and that ended
last, and so on. Work beside the path shortens nothing and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

WAITS_FOR: Mapping[str, tuple[str, ...]] = {
    "merge_request": ("testing",),
    "testing": ("reproduction", "implementation"),
    "reproduction": ("generate",),
    "implementation": ("generate",),
    "generate": ("analysis", "prepare"),
    "analysis": (),
    "prepare": (),
}
"""Which phases a phase's job begins after."""


class Span(Struct, frozen=True, kw_only=True):
    """A job of the run, in seconds from the label."""

    phase: str
    start: float
    end: float
    tests_s: float = 0.0
    """Of it, running test-suites and reproductions."""
    model_s: float = 0.0
    """Of it, waiting for model turns."""


class Accounts(Struct, frozen=True, kw_only=True):
    """Where a run's wall time went."""

    wall_s: float
    """From the label's hook to the run's end."""
    tests_s: float
    """On the critical path."""
    model_s: float
    """On the critical path."""
    path: tuple[Span, ...]
    """In the order of time."""

    @property
    def ours_s(self) -> float:
        """What is left: our machinery, and git, installation, browser and agent's tools, which are not taken off."""
        return self.wall_s - self.tests_s - self.model_s

    @property
    def ratio(self) -> float:
        """How many times as long the run took as the tests and model turns that it waited for."""
        return self.wall_s / (self.tests_s + self.model_s)

    @property
    def between_s(self) -> float:
        """Of it, outside of any job on the path: hooks, decisions, polling, the runner's own."""
        return self.wall_s - sum(span.end - span.start for span in self.path)


def critical_path(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return the jobs that the run waited for, in the order of time."""
    path: list[Span] = []
    candidates: Sequence[Span] = spans
    while candidates:
        last = max(candidates, key=lambda span: span.end)
        path.append(last)
        candidates = [span for span in spans if span.phase in WAITS_FOR[last.phase]]
    return tuple(reversed(path))


def account(spans: Sequence[Span], *, wall_s: float) -> Accounts:
    """Return where the wall time went."""
    path = critical_path(spans)
    return Accounts(
        wall_s=wall_s,
        tests_s=sum(span.tests_s for span in path),
        model_s=sum(span.model_s for span in path),
        path=path,
    )
