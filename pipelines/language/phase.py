"""The phases: what a job of a run can be for."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """What a job does. `prepare` and `generate` are steps of the parent pipeline, not phases of the fix."""

    ANALYSIS = "analysis"
    PREPARE = "prepare"
    GENERATE = "generate"
    REPRODUCTION = "reproduction"
    IMPLEMENTATION = "implementation"
    TESTING = "testing"
    REVIEW = "review"
    """Optional: an agent that can't write reads the tested patch."""
    MERGE_REQUEST = "merge_request"
