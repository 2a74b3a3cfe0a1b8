"""What went wrong in an attempt, as data, and the sentence that is made of it. Holds no text of its own for agents.

Messages and names of tests are untrusted: they come from tickets, models and repositories.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pipelines.language.fields import ProjectPath, Sha256
from pipelines.language.phase import Phase
from pipelines.language.plan import Location
from pipelines.language.results import FailedTest
from pipelines.language.suites import CheckOutput

DIAGNOSIS_VERSION: Final = 1
"""Raised when an older reader could misread a diagnosis."""


class DiagnosisKind(StrEnum):
    """What went wrong. A closed list: an unknown value is refused when the document is read."""

    QUESTION = "question"
    """Analysis had a question for the reporter."""
    PLAN_NOT_APPROVED = "plan_not_approved"
    """People did not approve the plan."""
    REVIEW_FINDING = "review_finding"
    """A review found something that must be fixed."""
    NOT_SHOWN = "not_shown"
    """Nothing wrong by itself: what runs of the tested change did not show, such as a file that nothing needs."""
    REPRODUCTION = "reproduction"
    """The reproduction is not red without the change, or not green with it."""
    FAILING_TESTS = "failing_tests"
    """Tests fail or are missing with the change."""
    REGRESSION = "regression"
    """Coverage, lint or a figure of the suites got worse."""
    REFUSED_CHANGE = "refused_change"
    """A check refused the change itself: a path, a size, a secret, a dependency."""
    UNFINISHED = "unfinished"
    """The phase's own work came to no result."""
    HINT = "hint"
    """Nothing wrong by itself: what a person said who wants another attempt."""
    INTERRUPTED = "interrupted"
    """Something other than the phase's own work stopped it: a budget, a limit, the runner, the model's API."""
    UNCLASSIFIED = "unclassified"
    """Text that a release without kinds has stored."""


class Diagnosis(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that went wrong."""

    version: int = DIAGNOSIS_VERSION
    kind: DiagnosisKind
    phase: Phase | None = None
    """Where it showed; None for unclassified text."""
    repository: ProjectPath | None = None
    tests: tuple[str, ...] = ()
    """Names of the tests that fail or are missing."""
    messages: tuple[str, ...] = ()
    """What was said about it, the most important first."""
    failed: tuple[FailedTest, ...] = ()
    """What the first of them said, and where."""
    output: tuple[CheckOutput, ...] = ()
    """What checks that failed printed."""
    location: Location | None = None
    log: Sha256 | None = None
    """Hash of the log excerpt, where one was kept."""
    attempt: int = 0
    """The iteration in which it showed; 0: not told."""


HEADS: Final[dict[DiagnosisKind, str]] = {
    DiagnosisKind.QUESTION: "The analysis before had a question for the reporter. Look for the answer in the newest "
    "comments and in the description.",
    DiagnosisKind.PLAN_NOT_APPROVED: "People did not approve the plan of the analysis before. Look for the reason in "
    "the newest comments and in the description.",
    DiagnosisKind.REVIEW_FINDING: "The review found what must be fixed",
    DiagnosisKind.NOT_SHOWN: "Runs did not show everything of the change",
    DiagnosisKind.REPRODUCTION: "The reproduction does not show the fix",
    DiagnosisKind.FAILING_TESTS: "Tests fail with the change",
    DiagnosisKind.REGRESSION: "The checks got worse with the change",
    DiagnosisKind.REFUSED_CHANGE: "A check refused the change",
    DiagnosisKind.UNFINISHED: "The work was not finished",
    DiagnosisKind.HINT: "People want another attempt and say",
    DiagnosisKind.INTERRUPTED: "The work was interrupted",
    DiagnosisKind.UNCLASSIFIED: "",
}
"""How the sentence about each kind begins; one that ends with a full stop is the whole of it."""

MAX_NAMED: Final = 5
"""Tests that a sentence names."""


def sentence(diagnosis: Diagnosis) -> str:
    """Return a diagnosis in words: what went wrong, where, the first tests, what was said."""
    head = HEADS[diagnosis.kind]
    if head.endswith("."):
        return head
    where: list[str] = [diagnosis.repository] if diagnosis.repository else []
    if diagnosis.location is not None:
        place = diagnosis.location
        where.append(f"{place.file}:{place.line}" if place.line else place.file)
    named = list(diagnosis.tests[:MAX_NAMED])
    if len(diagnosis.tests) > MAX_NAMED:
        named.append(f"{len(diagnosis.tests) - MAX_NAMED} more")
    parts = [head, ", ".join(where), ", ".join(named), " ".join(diagnosis.messages)]
    text = ": ".join(part for part in parts if part)
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def sentences(diagnoses: Iterable[Diagnosis], *, between: str = " ") -> str:
    """Return all of them in words, in their order; empty when there are none."""
    return between.join(sentence(one) for one in diagnoses)
