"""What an agent hands in with its submit tool; the job checks it before it counts."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from pipelines.language.fields import Line, Text


class ReproductionSubmission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the agent claims after writing a reproduction; the job checks it before it counts."""

    reproduced: bool
    test_path: Line
    """The Playwright test, relative to the repository's root; empty when nothing was reproduced."""
    symptom: Text
    """Which symptom of the ticket the failing assertion shows, or what was seen instead."""
    steps: list[Line]
    existing_test: bool = False
    """The test was in the repository already, and already failed because of this bug."""
    question: Text = ""
    """When nothing was reproduced: what the reporter should be asked."""


class FileRationale(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why one file was changed."""

    file: Line
    rationale: Text


class FixSubmission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the agent says about its fix; the patch itself is taken from the work folder."""

    summary: Text
    files: list[FileRationale]
    risk: Text
    rollback: Text
    documentation: Text = ""
    """Which documentation was updated for users, or why none had to be."""


class Severity(StrEnum):
    """How much a reviewer's finding weighs."""

    MUST_FIX = "must_fix"
    """The patch is wrong, or does harm."""
    SHOULD_FIX = "should_fix"
    NOTE = "note"


class Finding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reviewer found in a patch."""

    file: Line
    line: int
    """1-based, in the patched file; 0 for the file as a whole."""
    severity: Severity
    claim: Text
    """What is wrong, and for which input it shows."""
    suggestion: Text


class ReviewSubmission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the reviewing agent says of a tested patch."""

    summary: Text
    findings: list[Finding]
