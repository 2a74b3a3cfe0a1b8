"""Whether reports show a fix: the same test red without the change and green with exactly that change. Pure.

Asked by the jobs' instructions, the gate before a merge request, the commit itself, notes, pages and indicators.
"""

from __future__ import annotations

from msgspec import Struct

from pipelines.language import ImplementationResult, MergeRequestResult, ReproductionResult, TestingResult


class RedGreen(Struct, frozen=True, kw_only=True):
    """What accepted reports show of one repository's fix."""

    is_red: bool
    """The reproduction fails without the change."""
    is_green: bool
    """The same reproduction passes with this very change, made for the same commit."""
    gaps: tuple[str, ...]
    """What is missing or contradictory, for people: clauses without a full stop."""


def judge(
    reproduction: ReproductionResult | None,
    testing: TestingResult | None,
    change: ImplementationResult | MergeRequestResult | None,
) -> RedGreen:
    """Return what the reports show. `change`: the one that is asked about; None: not known yet."""
    if reproduction is None or testing is None:
        missing = "the reproduction" if reproduction is None else "the testing"
        is_red = reproduction is not None and reproduction.reproduced
        return RedGreen(is_red=is_red, is_green=False, gaps=(f"{missing} was not reported",))
    checks = (
        (reproduction.reproduced, "the reproduction succeeded without reproducing anything"),
        (testing.test_sha256 == reproduction.test_sha256, "testing ran another test than the reproduction"),
        (change is None or testing.patch_sha256 == change.patch_sha256, "the submitted patch is not the tested one"),
        (
            change is None or testing.base_sha == change.base_sha,
            "the patch was tested on another commit than it was submitted for",
        ),
        (testing.reproduction_before_failed, "the reproduction did not fail before the patch"),
        (testing.reproduction_after_passed, "the reproduction does not pass with the patch"),
    )
    gaps = tuple(gap for holds, gap in checks if not holds)
    return RedGreen(
        is_red=reproduction.reproduced and testing.reproduction_before_failed,
        is_green=change is not None and not gaps,
        gaps=gaps,
    )
