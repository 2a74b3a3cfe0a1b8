"""Deploy patterns: in which order merged fixes of several repositories reach production."""

from __future__ import annotations

from enum import StrEnum


class DeployPattern(StrEnum):
    """How merged fixes reach production."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    FEATURE_FLAG = "feature_flag"
