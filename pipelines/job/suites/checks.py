"""A repository's own checks on patched code: lint, unit and integration tests, coverage, against the baseline.

Collects what the rules in `pipelines.proof.regression` judge; decides only what was chance, by running it again.
The patch's code takes part in every run, so none of them is believed for what it says alone: see docs/jobs.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from pipelines.job.reports.line_coverage import Lines, in_all, located, of_patch
from pipelines.job.suites.suite import run_again, run_lint, run_tests
from pipelines.job.workspace.checkout import Workplace
from pipelines.language import Baseline, CheckResult, Coverage, KnownTests, SuiteResult
from pipelines.patch import PatchSummary
from pipelines.patch.about_tests import changed_test_files, files_about_tests, stands_in
from pipelines.patch.kinds import is_collected
from pipelines.proof.known_tests import forgiven, missing, new_failures
from pipelines.proof.suite_run import Kind, Ran
from pipelines.proof.test_cases import listed

Fresh = Callable[[str, Sequence[str]], Workplace]
"""Makes a fresh, installed checkout of this name, patched but for these files."""


class Checked(Struct, frozen=True, kw_only=True):
    """One run of all checks."""

    lint: CheckResult | None
    unit: Ran | None
    integration: Ran | None


class Findings(Struct, frozen=True, kw_only=True):
    """What the checks found with the patch, as a report has it."""

    suite: SuiteResult | None
    integration: SuiteResult | None
    lint: CheckResult | None
    coverage: Coverage | None
    changed_coverage: Coverage | None
    new_failures: tuple[str, ...]
    missing: tuple[str, ...]
    own_failing: tuple[str, ...] = ()
    rewritten: tuple[str, ...] = ()


def run_checks(place: Workplace) -> Checked:
    """Run all checks that the catalogue has, one after the other, always in this order."""
    return Checked(
        lint=run_lint(place), unit=run_tests(place, Kind.UNIT), integration=run_tests(place, Kind.INTEGRATION)
    )


def measured_lines(ran: Ran | None, place: Workplace, paths: Sequence[str]) -> Lines | None:
    """Return the lines that a run measured; `paths` are the files of the checkout."""
    if ran is None or ran.measured is None:
        return None
    return located(ran.measured, paths, root=str(place.folder))


def examine(place: Workplace, *, patch: PatchSummary, paths: Sequence[str], known: Baseline, fresh: Fresh) -> Findings:
    """Run all checks in a patched checkout and compare them with the baseline."""
    checked = run_checks(place)
    lines = measured_lines(checked.unit, place, paths)
    unit, integration = (
        _compared(ran, of, fresh, ())
        for ran, of in ((checked.unit, known.unit), (checked.integration, known.integration))
    )
    missing = unit.missing | integration.missing
    changed = changed_test_files(patch)
    # A test may get another name with what it expects: the guards on patches ask for as much of it as before, the rules
    # for as many tests. Where its file is not changed, it has no reason to be gone.
    renamed = frozenset(test for test in missing if stands_in(test, changed))
    found = Findings(
        suite=unit.result,
        integration=integration.result,
        lint=checked.lint,
        coverage=None if lines is None else in_all(lines),
        changed_coverage=None if lines is None else of_patch(lines, patch),
        new_failures=listed(unit.new | integration.new),
        missing=listed(missing - renamed),
        rewritten=listed(renamed),
    )
    left_alone = files_about_tests(patch)
    if found.new_failures or found.missing or not left_alone:
        return found
    worse = _with_own_tests(checked, left_alone, known=known, fresh=fresh)
    rewritten = frozenset(test for test in worse if stands_in(test, changed))
    others = tuple(path for path in left_alone if path not in changed or not is_collected(path))
    if rewritten and others:
        # By its own settings, and without what else is new, a rewritten test has to pass: else something helps it to.
        rewritten -= _with_own_tests(checked, others, known=known, fresh=fresh)
    return replace(found, own_failing=listed(worse - rewritten), rewritten=listed(rewritten | renamed))


class _Compared(Struct, frozen=True, kw_only=True):
    """One kind of tests with the patch, against what is known of them."""

    result: SuiteResult | None = None
    new: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()


def _compared(ran: Ran | None, known: KnownTests | None, fresh: Fresh, left_alone: Sequence[str]) -> _Compared:
    if ran is None:
        return _Compared()
    numbers = count(1)

    def again() -> Ran:
        label = f"again-{next(numbers)}{f'-own-{len(left_alone)}' if left_alone else ''}"
        return run_again(fresh(f"{label}-{ran.kind}", left_alone), ran, label=label)

    unexpected = new_failures(ran, known)
    chance = forgiven(unexpected, known, again=again)
    return _Compared(
        result=replace(ran.result, flaky=listed(chance)), new=unexpected - chance, missing=missing(ran, known)
    )


def _with_own_tests(checked: Checked, left_alone: Sequence[str], *, known: Baseline, fresh: Fresh) -> frozenset[str]:
    """Return the tests of the baseline that fail or don't run when the patch leaves the files of tests alone."""
    place = fresh(f"own-{len(left_alone)}", left_alone)
    place.log.state(f"the repository's own tests, without the patch's {len(left_alone)} files about tests:")
    worse: set[str] = set()
    for first, before in ((checked.unit, known.unit), (checked.integration, known.integration)):
        if first is not None:
            own = _compared(run_again(place, first, label=place.name), before, fresh, left_alone)
            worse |= own.new | own.missing
    return frozenset(worse)
