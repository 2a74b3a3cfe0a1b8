"""Whether the figures of a report are possible: no counts below zero, no more covered than can be. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, TypeVar

from msgspec import Struct

from pipelines.language import (
    CheckResult,
    Coverage,
    FailedTest,
    ImplementationResult,
    PhaseReport,
    PrepareResult,
    SuiteResult,
    TestingResult,
    TestWord,
)
from pipelines.language.results import MAX_FAILED, MAX_FAILED_TEXT
from pipelines.language.suites import MAX_LINE, MAX_LINES

T = TypeVar("T")

LARGEST: Final = 10**9
"""Tests, lines, turns: no job counts more of anything."""
MOST_TESTS: Final = 50
"""Ids of one kind that a report lists."""


class _Figures(Struct, frozen=True, kw_only=True):
    """What a report counts."""

    suites: tuple[SuiteResult, ...] = ()
    coverages: tuple[Coverage, ...] = ()
    lint: CheckResult | None = None
    counts: tuple[int, ...] = ()
    lists: tuple[tuple[str, ...], ...] = ()
    """Ids of tests."""
    failed: tuple[FailedTest, ...] = ()


def facts(report: PhaseReport) -> Iterator[tuple[str, bool]]:
    """Give sentences, and whether what each complains of is so."""
    found = _figures(report)
    seconds = [report.job_seconds, *(suite.duration_s for suite in found.suites)]
    if found.lint is not None:
        seconds.append(found.lint.duration_s)
    counts = [report.turns, report.stripped_characters, report.refused_calls, *found.counts]
    for suite in found.suites:
        counts += (suite.passed, suite.failed, suite.errors, suite.skipped, suite.reports_read, suite.reports_unread)
    for coverage in found.coverages:
        counts += (coverage.covered, coverage.coverable)
    lists = (*found.lists, *(ids for suite in found.suites for ids in (suite.failing, suite.flaky)))
    yield "Figures are not negative.", min(*seconds, *counts) < 0
    yield "Figures are numbers.", not all(map(math.isfinite, seconds))
    yield f"No figure is larger than {LARGEST}.", max(counts) > LARGEST
    yield "No more lines are covered than can be.", any(one.covered > one.coverable for one in found.coverages)
    yield (
        "A suite lists no more failing tests than it counts.",
        any(len(suite.failing) > suite.failed + suite.errors for suite in found.suites),
    )
    yield (
        f"At most {MAX_FAILED} failing tests are told of, each in {MAX_FAILED_TEXT} characters.",
        len(found.failed) > MAX_FAILED
        or any(max(len(one.message), len(one.file)) > MAX_FAILED_TEXT for one in found.failed),
    )
    yield (
        "A failing test is at a line of a file.",
        any(not one.file.isprintable() or not 0 <= one.line <= LARGEST for one in found.failed),
    )
    printed = [
        *(suite.lines for suite in found.suites),
        found.lint.lines if found.lint is not None else (),
    ]
    yield (
        f"A report tells at most {MAX_LINES} lines of what a check printed.",
        any(len(lines) > MAX_LINES for lines in printed),
    )
    yield (
        f"A line of what a check printed has at most {MAX_LINE} characters.",
        any(len(line) > MAX_LINE for lines in printed for line in lines),
    )
    yield f"At most {MOST_TESTS} tests of a kind are listed.", any(len(ids) > MOST_TESTS for ids in lists)


def _figures(report: PhaseReport) -> _Figures:
    match report.result:
        case PrepareResult() as result:
            return _Figures(
                suites=_given(result.baseline, result.integration),
                coverages=_given(result.coverage),
                lint=result.lint,
            )
        case TestingResult() as result:
            return _Figures(
                suites=_given(result.suite, result.integration),
                coverages=_given(result.coverage_before, result.coverage, result.changed_coverage),
                lint=result.lint,
                failed=result.failed,
                counts=(result.proof.base_tests, result.proof.base_passed),
                lists=(
                    result.new_failures,
                    result.missing,
                    result.proof.red_tests,
                    *(tuple(one.name for one in result.proof.tests if one.word is word) for word in TestWord),
                ),
            )
        case ImplementationResult() as result:
            return _Figures(counts=(result.insertions, result.deletions))
        case _:
            return _Figures()


def _given(*found: T | None) -> tuple[T, ...]:
    return tuple(one for one in found if one is not None)
