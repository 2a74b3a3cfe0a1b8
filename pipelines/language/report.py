"""The report: how a phase ended, by what, and with which result."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from pipelines.language.artifacts import Artifact
from pipelines.language.fields import ProjectPath, RunId
from pipelines.language.phase import Phase
from pipelines.language.pipeline_key import PipelineKind
from pipelines.language.results import PhaseResult


class ReportOutcome(StrEnum):
    """How a phase ended."""

    SUCCEEDED = "succeeded"
    NOT_REPRODUCED = "not_reproduced"
    """The honest no of reproduction."""
    REJECTED = "rejected"
    """The work was done and a guard or test refused it; the reason says which."""
    FAILED = "failed"
    """The phase could not be done: limits, tools, infrastructure."""


class EndedBy(StrEnum):
    """What ended a phase that could not be done. People's next step depends on it, not on the phase alone."""

    PHASE = "phase"
    """The phase's own work: what to do next depends on the phase."""
    BUDGET = "budget"
    """The run's or the day's budget can't fund another call."""
    LIMITS = "limits"
    """The agent used up its turns, its money or its time."""
    DECLINED = "declined"
    """The model would not work on the ticket."""
    LENGTH = "length"
    """The conversation grew larger than the model can read."""
    NOT_PERMITTED = "not_permitted"
    """The gateway or the model's API refused the call for good."""
    UNAVAILABLE = "unavailable"
    """The model could not be asked: overload, or gateway or API away."""
    COMMANDS = "commands"
    """The repository's own commands, as the catalogue names them, do not work."""
    RUNNER = "runner"
    """The runner does not give what a job needs, or a repository can't be cloned there."""
    UNDELIVERED = "undelivered"
    """The report did not reach the receiver, and what is left of it can't be taken."""
    DEFECT = "defect"
    """Our own program broke."""


class PhaseReport(Struct, frozen=True, kw_only=True):
    """What a job says it did. It counts only when GitLab says that the job succeeded."""

    version: int = 1
    run: RunId
    kind: PipelineKind = PipelineKind.FIX
    iteration: int
    """Number of the pipeline within its kind; of a fix the iteration."""
    phase: Phase
    repository: ProjectPath | None
    outcome: ReportOutcome
    reason: str
    """A sentence for people."""
    result: PhaseResult | None
    """None only when the phase failed before it had one."""
    artifacts: tuple[Artifact, ...] = ()
    agent: str | None = None
    model: str | None = None
    turns: int = 0
    job_seconds: float = 0.0
    stripped_characters: int = 0
    """Invisible characters taken out of untrusted text before the model saw it."""
    refused_calls: int = 0
    """The model's tool calls that its phase does not permit, and submissions that a guard did not take."""
    ended_by: EndedBy = EndedBy.PHASE
    client: str = ""
    """Version of the job client that wrote it; empty: of a release without this field."""
