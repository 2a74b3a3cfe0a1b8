"""What runs showed of a fix, and what they could not show: a word per test and per changed file. Holds data only."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Isolation(StrEnum):
    """How far the runner was found to keep untrusted code apart."""

    NAMESPACES = "namespaces"
    """Each role ran as a user of its own, and each run of the reproduction in namespaces of its own."""
    USERS = "users"
    """Each role ran as a user of its own."""
    NONE = "none"
    """Everything ran as the job's own user."""


class TestWord(StrEnum):
    """What runs could not show of a test."""

    __test__ = False

    CONTRADICTED = "contradicted"
    """A test of the base commit fails on the changed code: it asserted the bug, or it caught a regression."""
    UNPROVABLE = "unprovable"
    """A test of the base commit does not build or load against the changed code, so it says nothing."""
    UNPROVEN = "unproven"
    """A file of tests was changed, and none of its tests is red on the old code."""
    WEAK_RED = "weak_red"
    """A file of tests was changed, and its tests do not build or load on the old code: red, for want of the change."""


class NamedTest(Struct, frozen=True, kw_only=True):
    """A test, or a file of tests, of which runs could not show everything."""

    __test__ = False

    name: str
    """The test's id in reports; for `unproven` and `weak_red` the file's path."""
    word: TestWord
    asserted: str = ""
    """For `contradicted`: what the test of the base commit said as it failed."""
    change: str = ""
    """For `contradicted`: rows that the change removes from the test (`-`) and adds to it (`+`), for people."""


class FileWord(StrEnum):
    """What became of the run without a changed file."""

    NEEDED = "needed"
    """Without it the reproduction or a new test fails, or nothing builds."""
    UNEXPLAINED = "unexplained"
    """Reproduction and new tests pass without it."""
    INCONCLUSIVE = "inconclusive"
    """The run without it said neither."""
    NOT_PROBED = "not_probed"
    """No run without it was made."""


class ProbedFile(Struct, frozen=True, kw_only=True):
    """A changed file of the product, and whether the fix needs it."""

    path: str
    word: FileWord
    reason: str = ""
    """A clause for people: what failed without it, or why no run was made."""


class Proof(Struct, frozen=True, kw_only=True):
    """What the runs of a testing job showed beside its figures."""

    isolation: Isolation = Isolation.NONE
    base_tests: int = 0
    """Tests that pass on the base commit, each time."""
    base_passed: int = 0
    """Of these: pass on the changed code as the base commit has them."""
    red_tests: tuple[str, ...] = ()
    """Tests of changed files that fail on the old code and pass with the change; at most 50, as all ids."""
    tests: tuple[NamedTest, ...] = ()
    files: tuple[ProbedFile, ...] = ()
