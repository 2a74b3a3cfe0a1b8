"""What the jobs of a run reported, and the files that they list."""

from __future__ import annotations

from msgspec import Struct

from pipelines.language import ArtifactKind, PhaseResult


class ReportedFile(Struct, frozen=True, kw_only=True):
    """A file that a report lists."""

    kind: ArtifactKind
    path: str
    sha256: str
    size: int


class Report(Struct, frozen=True, kw_only=True):
    """What a job reported, whether it counts, and its files."""

    job: int
    project_id: int
    iteration: int
    phase: str
    repository: str | None
    outcome: str
    state: str
    """pending, accepted or discarded."""
    reason: str
    """The job's own sentence."""
    why_discarded: str
    agent: str | None
    model: str | None
    turns: int
    job_seconds: float
    stripped_characters: int
    refused_calls: int = 0
    """Of the model: not permitted in its phase, or not taken by a guard."""
    result: PhaseResult | None
    artifacts: tuple[ReportedFile, ...]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What people should know of the conversation behind the report."""
        figures = (
            (self.refused_calls, "calls of the model were refused"),
            (self.stripped_characters, "invisible characters were taken out of untrusted text"),
        )
        return tuple(f"{figure} {what}" for figure, what in figures if figure)
