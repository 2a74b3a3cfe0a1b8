"""Whether a patch makes a repository's own checks worse: the rules, as a table. Pure.

They run in the job that has the figures and again in the receiver, because a job is not trusted: one that says success
against its own figures is found out. Knows no reports, no commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from pipelines.language import Coverage, PrepareResult, SuiteResult, TestingResult, TestWord
from pipelines.language.policy import Policy, ProofPolicy

_SHRINKS = 0.01
"""Share of the measured lines that may go without the patch removing them: what is imported changes a little."""


class Comparison(Struct, frozen=True, kw_only=True):
    """What `prepare` found before the patch and `testing` with it."""

    before: PrepareResult | None
    """None: there is no baseline."""
    after: TestingResult
    policy: Policy
    removed: int
    """Lines that the patch removes."""


def regressions(comparison: Comparison) -> tuple[str, ...]:
    """Return why the patch counts as worse than nothing, a sentence each; none: it does not."""
    return tuple(sentence for rule in RULES for sentence in rule(comparison))


class _Suite(Struct, frozen=True, kw_only=True):
    """One kind of tests, before and after."""

    kind: str
    before: SuiteResult | None
    after: SuiteResult | None


def _suites(given: Comparison) -> tuple[_Suite, ...]:
    before, after = given.before, given.after
    return (
        _Suite(kind="unit", before=before.baseline if before else None, after=after.suite),
        _Suite(kind="integration", before=before.integration if before else None, after=after.integration),
    )


def _ran(suite: SuiteResult) -> int:
    return suite.passed + suite.failed + suite.errors


def _bad(suite: SuiteResult) -> int:
    return suite.failed + suite.errors


def _new_failures(given: Comparison) -> Iterator[str]:
    found = given.after.new_failures
    if found and given.before is None:
        yield f"{_tests(found, 'fails', 'fail')}, and there is no baseline to know them from: {_names(found)}."
    elif found:
        yield f"{_tests(found, 'fails', 'fail')} that did not fail before the patch: {_names(found)}."


def _more_failures(given: Comparison) -> Iterator[str]:
    """Count as well: lists of ids are cut, and could be forged apart from the counts."""
    for one in _suites(given):
        if one.after is None or given.after.new_failures:
            continue
        known = 0 if one.before is None else _bad(one.before) + len(one.before.flaky)
        if _bad(one.after) > known + len(one.after.flaky):
            yield f"{_bad(one.after)} {one.kind} tests fail; {known} failed before the patch."


def _vanished(given: Comparison) -> Iterator[str]:
    missing = given.after.missing
    if missing:
        yield f"{_tests(missing)} that ran before did not run: {_names(missing)}. Tests must not vanish."
    for one in _suites(given):
        if one.before is None:
            continue
        if one.after is None:
            yield f"The {one.kind} tests were not run with the patch; before it they were."
            continue
        before, now = _ran(one.before), _ran(one.after)
        if now < before - len(one.before.flaky) - len(_named(given, TestWord.CONTRADICTED)):
            yield f"Only {now} {one.kind} tests ran; {before} ran before the patch. Tests must not vanish."


def _silent(given: Comparison) -> Iterator[str]:
    for one in _suites(given):
        if one.before is None and one.after is not None and not _ran(one.after) + one.after.skipped:
            yield f"The {one.kind} test command left no report of any test, and there is no baseline to compare with."


def _unread(given: Comparison) -> Iterator[str]:
    """Refuse a command that fails without a word of its tests, also when it did so before the patch."""
    for one in _suites(given):
        after = one.after
        if after is None or after.exit_code == 0:
            continue
        if after.reports_unread:
            what = f"and {_reports(after.reports_unread)} could not be read"
        elif not (_ran(after) + after.skipped + after.reports_read):
            what = "and left no report that could be read"
        else:
            continue
        yield (
            f"The {one.kind} test command ended with {after.exit_code} {what}, so nobody knows what the patch did to "
            "these tests. The log of the job says why; mend the command, or `reports.junit` in bug-fix.yml."
        )


def _disagreeing(given: Comparison) -> Iterator[str]:
    """Exit code and report must say the same, unless they did not before the patch either."""
    for one in _suites(given):
        if one.after is None:
            continue
        shape = (one.after.exit_code != 0, _bad(one.after) != 0)
        if one.before is not None and shape == (one.before.exit_code != 0, _bad(one.before) != 0):
            continue
        command = f"The {one.kind} test command ended with {one.after.exit_code}"
        if shape == (True, False):
            yield f"{command} though its report names no failing test."
        elif shape == (False, True):
            yield f"{command} though its report names {_bad(one.after)} failing tests."


def _base_tests(given: Comparison) -> Iterator[str]:
    """By the standard policy people decide about them; a strict one refuses."""
    if given.policy.proof is not ProofPolicy.STRICT:
        return
    for word, why in ((TestWord.CONTRADICTED, "fail on the changed code"), (TestWord.UNPROVABLE, "do not build")):
        if found := _named(given, word):
            yield f"Tests of the base commit {why}, as they were before the patch ({word}): {_names(found)}."


def _named(given: Comparison, word: TestWord) -> tuple[str, ...]:
    return tuple(one.name for one in given.after.proof.tests if one.word is word)


def _coverage(given: Comparison) -> Iterator[str]:
    before, after = given.before.coverage if given.before else None, given.after.coverage
    if before is None:
        return
    if after is None:
        yield "There is no coverage report that can be read with the patch; before it there was one."
        return
    tolerance = given.policy.coverage_tolerance_pp
    if _fell(before, after) > tolerance and after.uncovered > before.uncovered:
        yield (
            f"Coverage fell from {_percent(before)} to {_percent(after)}; "
            f"{after.uncovered - before.uncovered} more lines are run by no test. "
            f"Policy allows {tolerance} percentage points (coverage_tolerance_pp)."
        )
    if after.coverable < before.coverable * (1 - _SHRINKS) - given.removed:
        yield (
            f"Coverage is measured of {after.coverable} lines only; it was of {before.coverable}, "
            f"and the patch removes {given.removed}."
        )


def _changed_lines(given: Comparison) -> Iterator[str]:
    found = given.after.changed_coverage
    least = given.policy.changed_coverage_min
    if found is not None and found.percent is not None and found.percent < least:
        yield (
            f"Tests run {found.covered} of the {found.coverable} changed lines that can be run; policy asks for "
            f"{least} % (changed_coverage_min). Add a test of what was changed."
        )


def _lint(given: Comparison) -> Iterator[str]:
    before, after = given.before.lint if given.before else None, given.after.lint
    if after is None:
        if before is not None:
            yield "Lint was not run with the patch; before it, it was."
    elif after.exit_code != 0 and (before is None or before.exit_code == 0):
        was = "was clean before the patch" if before is not None else "has no baseline"
        yield f"Lint {was} and ends with {after.exit_code} now."
    elif before is not None and abs(after.exit_code) > abs(before.exit_code):
        yield f"Lint ended with {before.exit_code} before the patch and ends with {after.exit_code} now."


Rule = Callable[[Comparison], Iterator[str]]

RULES: tuple[Rule, ...] = (
    _new_failures,
    _more_failures,
    _vanished,
    _silent,
    _unread,
    _disagreeing,
    _base_tests,
    _coverage,
    _changed_lines,
    _lint,
)
"""In the order in which people should read them."""


def _reports(count: int) -> str:
    return "a report" if count == 1 else f"{count} reports"


def _fell(before: Coverage, after: Coverage) -> float:
    return (before.percent or 0.0) - (after.percent or 0.0)


def _percent(coverage: Coverage) -> str:
    return "nothing" if coverage.percent is None else f"{coverage.percent:.2f} %"


def _tests(ids: tuple[str, ...], singular: str = "", plural: str = "") -> str:
    return f"1 test {singular}".strip() if len(ids) == 1 else f"{len(ids)} tests {plural}".strip()


def _names(ids: tuple[str, ...]) -> str:
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
