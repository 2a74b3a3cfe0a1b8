"""What a job does, by phase: RunSpec and workspace in, PhaseReport out."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from pipelines.job.workspace.job import Job
from pipelines.language import Phase, PhaseReport


def phase_function(phase: Phase) -> Callable[[Job], PhaseReport]:
    """Return what a job of this phase runs: `run` of the module that has the phase's name.

    Imported only now: the Anthropic SDK takes seconds to import, and four of the seven phases don't use it.
    """
    found: Callable[[Job], PhaseReport] = import_module(f"pipelines.phases.{phase}").run
    return found


__all__ = ["phase_function"]
