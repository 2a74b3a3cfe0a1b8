"""What a pipeline of a run is for, and its number: `fix 2`."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class PipelineKind(StrEnum):
    """What a pipeline of a run is for."""

    FIX = "fix"
    """Carries out an iteration: its number is the iteration's."""
    DEPLOY = "deploy"
    """Brings merged fixes to an environment."""
    REPEAT = "repeat"
    """Repeats reproductions against an environment."""


class PipelineKey(Struct, frozen=True, kw_only=True):
    """Which of its pipelines a run means. With the run's id it is unique; a claim belongs to it."""

    kind: PipelineKind
    number: int
    """From 1, within the kind."""

    def __str__(self) -> str:
        """Return it as people read it: `fix 2`."""
        return f"{self.kind} {self.number}"


def fix(iteration: int) -> PipelineKey:
    """Return the key of the pipeline that carries out an iteration."""
    return PipelineKey(kind=PipelineKind.FIX, number=iteration)
