"""Reports of a run's jobs, and the files that they list."""

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
    """Report of a job, whether it was accepted, and its files."""

    job: int
    project_id: int
    iteration: int
    phase: str
    repository: str | None
    outcome: str
    state: str
    """`pending`, `accepted` or `discarded`."""
    reason: str
    """Sentence that the job wrote."""
    why_discarded: str
    agent: str | None
    model: str | None
    turns: int
    job_seconds: float
    stripped_characters: int
    refused_calls: int = 0
    """Tool calls of the model that its phase does not permit or a guard rejected."""
    result: PhaseResult | None
    artifacts: tuple[ReportedFile, ...]

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences for people about the conversation behind the report."""
        figures = (
            (self.refused_calls, "calls of the model were refused"),
            (self.stripped_characters, "invisible characters were taken out of untrusted text"),
        )
        return tuple(f"{figure} {what}" for figure, what in figures if figure)
