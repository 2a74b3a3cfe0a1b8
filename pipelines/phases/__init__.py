"""What a job does, by phase: RunSpec and workspace in, PhaseReport out."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.job.job import Job
from pipelines.model import Phase, PhaseReport
from pipelines.phases import analysis, generate, implementation, merge_request, prepare, reproduction, testing

PHASES: dict[Phase, Callable[[Job], PhaseReport]] = {
    Phase.ANALYSIS: analysis.run,
    Phase.PREPARE: prepare.run,
    Phase.GENERATE: generate.run,
    Phase.REPRODUCTION: reproduction.run,
    Phase.IMPLEMENTATION: implementation.run,
    Phase.TESTING: testing.run,
    Phase.MERGE_REQUEST: merge_request.run,
}

__all__ = ["PHASES"]
