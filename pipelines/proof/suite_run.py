"""One run of a repository's tests: what ran, how each test ended, which lines were run. Values only."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from pipelines.language import SuiteResult
from pipelines.proof.measured_file import MeasuredFile
from pipelines.proof.test_cases import CaseOutcome


class Kind(StrEnum):
    """Which of a repository's tests."""

    UNIT = "unit"
    INTEGRATION = "integration"


class Ran(Struct, frozen=True, kw_only=True):
    """One run of tests."""

    kind: Kind
    command: str
    """What ran them."""
    result: SuiteResult
    outcomes: dict[str, CaseOutcome]
    """By id."""
    messages: dict[str, str] = {}
    """What failing tests said, by id."""
    details: dict[str, str] = {}
    """All that the report says of failing tests, such as their stacks, by id."""
    measured: tuple[MeasuredFile, ...] | None = None
    """Lines that were run; None: no report of it."""

    def having(self, *outcomes: CaseOutcome) -> frozenset[str]:
        """Return the ids of the tests that ended so."""
        return frozenset(one for one, outcome in self.outcomes.items() if outcome in outcomes)

    @property
    def failing(self) -> frozenset[str]:
        """Ids of tests that failed or broke."""
        return self.having(CaseOutcome.FAILED, CaseOutcome.ERROR)

    @property
    def passing(self) -> frozenset[str]:
        """Ids of tests that passed."""
        return self.having(CaseOutcome.PASSED)
