"""Files that a job leaves behind, and what each of them is."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from pipelines.language.fields import Sha256


class ArtifactKind(StrEnum):
    """What a file kept with a report is."""

    PLAN = "plan"
    BASELINE = "baseline"
    CONTEXT = "context"
    CHILD_PIPELINE = "child_pipeline"
    REPRODUCTION_TEST = "reproduction_test"
    SCREENSHOT = "screenshot"
    TRACE = "trace"
    VIDEO = "video"
    BISECT = "bisect"
    """Script for `git bisect run`."""
    JUNIT = "junit"
    LOG = "log"
    CHANGE_SET = "change_set"
    """What a fix does to files, byte for byte: this is checked, tested and committed."""
    PATCH = "patch"
    """The same as a diff that git made, for people; nothing is read out of it."""
    TRANSCRIPT = "transcript"
    COVERAGE = "coverage"
    REPORT = "report"


class Artifact(Struct, frozen=True, kw_only=True):
    """A file that a job leaves behind as a GitLab artifact."""

    kind: ArtifactKind
    path: str
    """Relative to CI_PROJECT_DIR, as in the artifact archive."""
    sha256: Sha256
    size: int
    """Bytes."""
