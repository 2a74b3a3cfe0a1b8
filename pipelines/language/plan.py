"""The plan: what analysis found and decided, and what people have to say about it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from pipelines.language.deploy_pattern import DeployPattern
from pipelines.language.fields import Line, ProjectPath, Text


class Complexity(StrEnum):
    """How hard analysis thinks the fix is."""

    SIMPLE = "simple"
    MODERATE = "moderate"
    COMPLEX = "complex"


class Risk(StrEnum):
    """What could go wrong when the fix is deployed."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class PlanOutcome(StrEnum):
    """What analysis concluded. Only `fix` leads to code."""

    FIX = "fix"
    NEEDS_INFORMATION = "needs_information"
    NOT_A_BUG = "not_a_bug"
    DUPLICATE = "duplicate"
    TOO_LARGE = "too_large"
    FEATURE_REQUEST = "feature_request"
    INFRASTRUCTURE = "infrastructure"
    SECURITY_CONCERN = "security_concern"


class Approval(StrEnum):
    """Whether a plan may be carried out as far as people have a say in it."""

    NOT_NEEDED = "not_needed"
    AWAITED = "awaited"
    GIVEN = "given"


class Location(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in a repository."""

    repository: ProjectPath
    file: Line
    """Path relative to the repository's root."""
    line: int
    """1-based; in a diagnosis 0 stands for the file as a whole."""


class RepositoryPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done in one repository."""

    repository: ProjectPath
    agent: Line
    """Name of the agent profile that implements here."""
    reason: Text
    """Why this repository is in scope."""
    confidence: float
    """0 to 1."""
    approach: Text
    files: list[Line]
    """Files that are expected to change."""
    tests: list[Line]
    """Tests to write, a sentence each."""


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What analysis found and decided. Every later phase is generated from it."""

    outcome: PlanOutcome
    reason: Text
    """Why this outcome; for anything but `fix` this is what people are told."""
    question: Text = ""
    """For `needs_information`: exactly what the reporter is asked."""
    duplicate_of: Line = ""
    """For `duplicate`: the issue key of the other ticket."""
    title: Line
    """Imperative, without the issue key: `Escape apostrophes in contact names`."""
    summary: Text
    """What is wrong, in the words of the person who reported it."""
    expected: Text
    actual: Text
    steps: list[Line]
    """Steps to reproduce."""
    requirements: list[Line]
    """Acceptance criteria drawn from the ticket."""
    root_cause: Text
    location: Location | None
    """Where the cause is; null when the outcome is not `fix`."""
    complexity: Complexity
    risk: Risk
    risk_reason: Text
    repositories: list[RepositoryPlan]
    deploy_pattern: DeployPattern
