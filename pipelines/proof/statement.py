"""Say what runs showed of a fix and what they did not, a clause each, for merge requests, notes and agents. Pure.

Nothing is called proven: a reader is told which run showed what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pipelines.language import FileWord, TestingResult, TestWord

MOST_NAMES: Final = 5
"""Names in one clause."""


def shown(result: TestingResult) -> tuple[str, ...]:
    """Return what was shown, in the order in which people should read it."""
    return tuple(_shown(result))


def not_shown(result: TestingResult) -> tuple[str, ...]:
    """Return what was not shown, the weightiest first."""
    return tuple(_tests_not_shown(result)) + tuple(_files_not_shown(result))


def contradicted(result: TestingResult) -> tuple[str, ...]:
    """Return the tests of the base commit that fail on the changed code."""
    return tuple(one.name for one in result.proof.tests if one.word is TestWord.CONTRADICTED)


def needs_people(result: TestingResult) -> bool:
    """Say whether only people may merge, because tests of the base commit speak against the fix or say nothing."""
    return any(one.word in _WEIGHTY for one in result.proof.tests)


_WEIGHTY: Final = frozenset({TestWord.CONTRADICTED, TestWord.UNPROVABLE})


def _shown(result: TestingResult) -> Iterator[str]:
    proof = result.proof
    if result.reproduction_before_failed and result.reproduction_after_passed:
        yield f"reproduction ✗ → ✓ (isolation: {proof.isolation})"
    if proof.base_tests:
        yield f"{proof.base_passed}/{proof.base_tests} of the old tests (as the test run reports)"
    if proof.red_tests:
        yield f"{_count(len(proof.red_tests), 'new test')} red on the old code"
    needed = sum(one.word is FileWord.NEEDED for one in proof.files)
    if needed and needed == len(proof.files):
        yield "every changed file is needed"


def _tests_not_shown(result: TestingResult) -> Iterator[str]:
    for word, text in _TESTS.items():
        if names := [one.name for one in result.proof.tests if one.word is word]:
            yield f"{_names(names)}: {text} ({word.replace('_', ' ')})"


def _files_not_shown(result: TestingResult) -> Iterator[str]:
    for word, text in _FILES.items():
        if found := [one for one in result.proof.files if one.word is word]:
            names = [one.path for one in found]
            reasons = "; ".join(dict.fromkeys(one.reason for one in found if one.reason))
            detail = f": {reasons}" if reasons and word is not FileWord.UNEXPLAINED else ""
            yield f"{_names(names)}: {text} ({word.replace('_', ' ')}{detail})"


_TESTS: Final = {
    TestWord.CONTRADICTED: "red on the changed code with the base commit's files; it asserted the bug or caught a flaw",
    TestWord.UNPROVABLE: "not built or loaded on the changed code with the base commit's files",
    TestWord.UNPROVEN: "changed, and no test in it is red on the old code",
    TestWord.WEAK_RED: "red on the old code only for want of the change: not built or loaded there",
}
_FILES: Final = {
    FileWord.UNEXPLAINED: "no effect on the reproduction or the new tests",
    FileWord.INCONCLUSIVE: "taken back without a clear result",
    FileWord.NOT_PROBED: "not taken back",
}


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
