"""What a repository's own test suites, coverage and checks say."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Check(StrEnum):
    """A kind of a repository's own checks."""

    LINT = "lint"
    TESTS = "tests"
    """Unit and integration tests."""


MAX_LINES: Final = 40
"""Lines of a check's output that a report tells."""
MAX_LINE: Final = 300
"""Characters of such a line."""


class CheckOutput(Struct, frozen=True, kw_only=True):
    """What a check that failed printed. Untrusted."""

    check: Check
    lines: tuple[str, ...]
    """At most 40 of at most 300 characters."""


class SuiteResult(Struct, frozen=True, kw_only=True):
    """One run of a test suite, read from its JUnit report and its exit code."""

    passed: int
    failed: int
    errors: int
    skipped: int
    duration_s: float
    exit_code: int
    failing: tuple[str, ...] = ()
    """Ids of failing tests, at most 50."""
    flaky: tuple[str, ...] = ()
    """Ids of tests that failed in one of two runs on the same code, at most 50; they count as neither."""
    reports_read: int = 0
    """Files of which the counts are made."""
    reports_unread: int = 0
    """Files at the places of reports that could not be read: what their tests did is not known."""
    lines: tuple[str, ...] = ()
    """What the command printed that failed without a report, at most 40 lines of at most 300 characters. Untrusted."""


class KnownTests(Struct, frozen=True, kw_only=True):
    """What the tests of a suite did in two runs on the unpatched code, by id."""

    passing: tuple[str, ...]
    failing: tuple[str, ...]
    flaky: tuple[str, ...]
    """Not the same in both runs."""


class Baseline(Struct, frozen=True, kw_only=True):
    """All tests of a repository on the unpatched code, which no report has room for: handed in beside it."""

    unit: KnownTests | None = None
    integration: KnownTests | None = None


class Coverage(Struct, frozen=True, kw_only=True):
    """Lines that tests ran, of those that they could have run."""

    covered: int
    coverable: int

    @property
    def percent(self) -> float | None:
        """The share in percent; None where there is nothing to cover."""
        return 100 * self.covered / self.coverable if self.coverable else None

    @property
    def uncovered(self) -> int:
        """Lines that no test ran."""
        return self.coverable - self.covered


class CheckResult(Struct, frozen=True, kw_only=True):
    """Linters and type checks, by the catalogue's command."""

    exit_code: int
    duration_s: float
    lines: tuple[str, ...] = ()
    """What it printed where it failed, at most 40 lines of at most 300 characters. Untrusted."""
