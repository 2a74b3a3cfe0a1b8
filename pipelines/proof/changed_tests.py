"""What the tests of the base commit and the changed tests show, by their outcomes on old and new code. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from pipelines.language import NamedTest, TestWord
from pipelines.proof.test_cases import CaseOutcome, listed

MOST_DETAILS: Final = 10
"""Tests of one report that are named with what they asserted."""
_ASSERTED: Final = 600
_CHANGE: Final = 1_500
"""Characters of each."""
_RED: Final = frozenset({CaseOutcome.FAILED, CaseOutcome.ERROR})

Texts = Mapping[str, tuple[str, str]]
"""Text of changed files before and after, by path."""


def contradicted(messages: Mapping[str, str], changes: Mapping[str, str]) -> tuple[NamedTest, ...]:
    """Name tests of the base commit that fail on the changed code, by id, with what they said and how they change."""
    return tuple(
        NamedTest(
            name=test,
            word=TestWord.CONTRADICTED,
            asserted=messages[test][:_ASSERTED] if place < MOST_DETAILS else "",
            change=changes.get(test, "") if place < MOST_DETAILS else "",
        )
        for place, test in enumerate(listed(messages))
    )


def unprovable(tests: frozenset[str]) -> tuple[NamedTest, ...]:
    """Name tests of the base commit that did not run on the changed code."""
    return tuple(NamedTest(name=test, word=TestWord.UNPROVABLE) for test in listed(tests))


def new_on_old(
    tests: Mapping[str, frozenset[str]], old: Mapping[str, CaseOutcome] | None, *, base: frozenset[str]
) -> tuple[tuple[str, ...], tuple[NamedTest, ...]]:
    """Return the tests that are red on the old code, and the files of which none is.

    `tests` are those that pass with the change, by changed file; `old` are outcomes on the old code, None where it did
    not build with them. `base` are the tests of the base commit, however they ended: of tests that no changed file is
    known to hold, only new ones count.
    """
    red = listed(test for owned in tests.values() for test in owned if old is not None and old.get(test) in _RED)
    return red, tuple(_judged(tests, old, base))


def _judged(
    tests: Mapping[str, frozenset[str]], old: Mapping[str, CaseOutcome] | None, base: frozenset[str]
) -> Iterator[NamedTest]:
    known = base.union(*tests.values())
    for path, owned in tests.items():
        if old is None:
            yield NamedTest(name=path, word=TestWord.WEAK_RED)
            continue
        if any(old.get(test) in _RED for test in owned):
            continue
        if owned:
            absent = any(test not in old for test in owned)
            yield NamedTest(name=path, word=TestWord.WEAK_RED if absent else TestWord.UNPROVEN)
        elif not any(outcome in _RED and test not in known for test, outcome in old.items()):
            yield NamedTest(name=path, word=TestWord.UNPROVEN)


def changed_part(test: str, texts: Sequence[tuple[str, str]]) -> str:
    """Return how a test changes: removed and added rows (`-`, `+`) of the hunks that name it, or else of all hunks.

    `texts` are the files that can change it: text before, text after.
    """
    name = test.rpartition("::")[2].partition("[")[0].rpartition(".")[2]
    hunks = [hunk for before, after in texts for hunk in _hunks(before, after)]
    naming = [hunk for hunk in hunks if any(name in row for row in hunk)]
    rows = [row for hunk in naming or hunks for row in hunk if not row.startswith(" ")]
    return "".join(rows)[:_CHANGE]


def _hunks(before: str, after: str) -> Iterator[list[str]]:
    diff = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), n=3)
    hunk: list[str] = []
    for line in islice(diff, 2, None):  # the first two name the files
        if line.startswith("@@"):
            if hunk:
                yield hunk
            hunk = []
        else:
            hunk.append(line if line.endswith("\n") else f"{line}\n")
    if hunk:
        yield hunk
