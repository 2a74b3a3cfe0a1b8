"""What a job does, by phase: RunSpec and workspace in, PhaseReport out."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

from pipelines.job.workspace.job import Job
from pipelines.language import Phase, PhaseReport


def phase_function(phase: Phase) -> Callable[[Job], PhaseReport]:
    """Return what a job of this phase runs: `run` of the module that has the phase's name.

    Imported only now: the Anthropic SDK takes over a second to import, and four of the seven phases don't use it.
    """
    found: Callable[[Job], PhaseReport] = import_module(f"pipelines.phases.{phase}").run
    return found


def import_ahead(phase: Phase) -> None:
    """Begin to import the phase in another thread: a job waits for the receiver and for git meanwhile.

    `phase_function` waits until it is done. What goes wrong is raised there, not here.
    """
    threading.Thread(target=_import_quietly, args=(phase,), name="import-ahead").start()


def _import_quietly(phase: Phase) -> None:
    # The SDK makes a million objects that stay: to look through them time and again is a third of its import.
    gc.disable()
    try:
        with suppress(Exception):
            phase_function(phase)
    finally:
        gc.freeze()
        gc.enable()


__all__ = ["import_ahead", "phase_function"]
