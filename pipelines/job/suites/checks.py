"""A repository's own checks on patched code: lint, unit and integration tests, coverage, against the baseline.

Collects what the rules in `pipelines.proof` judge; decides only what was chance, by running it again. The patch's code
takes part in every run, so none of them is believed for what it says alone: see docs/jobs.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from pipelines.job.communication.errors import CommandsError
from pipelines.job.report_formats.line_coverage import Lines, in_all, located, of_change
from pipelines.job.suites.suite import run_again, run_lint, run_tests
from pipelines.job.workspace.checkout import Checkout
from pipelines.language import Baseline, CheckResult, Coverage, FailedTest, KnownTests, NamedTest, SuiteResult
from pipelines.language.change_set import ChangeSet
from pipelines.language.repository import Repository
from pipelines.patch.about_tests import changed_test_files, files_about_tests, stands_in
from pipelines.proof.changed_tests import Texts, changed_part, contradicted, new_on_old, unprovable
from pipelines.proof.failed_tests import failed_tests
from pipelines.proof.known_tests import forgiven, missing, new_failures
from pipelines.proof.suite_run import Kind, Ran
from pipelines.proof.test_cases import CaseOutcome, listed

Fresh = Callable[[str, Sequence[str]], Checkout]
"""Returns an installed checkout, patched but for these files; the name is what its install command's log is called."""


class Checked(Struct, frozen=True, kw_only=True):
    """One run of all checks."""

    lint: CheckResult | None
    unit: Ran | None
    integration: Ran | None


class TestedChange(Struct, frozen=True, kw_only=True):
    """What a fix does to a repository."""

    __test__ = False

    change_set: ChangeSet
    paths: tuple[str, ...]
    """Of all files, before and after."""
    texts: Texts
    """Of the changed files."""


class Findings(Struct, frozen=True, kw_only=True):
    """What the checks found with the patch, as a report has it."""

    suite: SuiteResult | None
    integration: SuiteResult | None
    lint: CheckResult | None
    coverage: Coverage | None
    changed_coverage: Coverage | None
    new_failures: tuple[str, ...]
    missing: tuple[str, ...]
    failed: tuple[FailedTest, ...] = ()
    base_tests: int = 0
    base_passed: int = 0
    red_tests: tuple[str, ...] = ()
    named: tuple[NamedTest, ...] = ()
    new_tests: tuple[Ran, ...] = ()
    """The runs with the change that hold tests that are red on the old code, reduced to these tests."""


def run_checks(place: Checkout) -> Checked:
    """Run all checks that the catalogue has, one after the other, always in this order."""
    return Checked(
        lint=run_lint(place), unit=run_tests(place, Kind.UNIT), integration=run_tests(place, Kind.INTEGRATION)
    )


def measured_lines(ran: Ran | None, place: Checkout, paths: Sequence[str]) -> Lines | None:
    """Return the lines that a run measured; `paths` are the files of the checkout."""
    if ran is None or ran.measured is None:
        return None
    return located(ran.measured, paths, root=str(place.folder))


def examine(place: Checkout, *, change: TestedChange, known: Baseline, fresh: Fresh) -> Findings:
    """Run all checks in a patched checkout and compare them with the baseline.

    Tests that the change does not touch are judged by that run. Where it touches files about tests, the tests of the
    base commit run on the changed code as well, and the changed tests on the old code.
    """
    checked = run_checks(place)
    lines = measured_lines(checked.unit, place, change.paths)
    pairs = tuple(
        (ran, of) for ran, of in ((checked.unit, known.unit), (checked.integration, known.integration)) if ran
    )
    compared = {ran.kind: _compared(ran, of, fresh, ()) for ran, of in pairs}
    new = frozenset(test for one in compared.values() for test in one.new)
    missing = frozenset(test for one in compared.values() for test in one.missing)
    passing = frozenset(test for _, of in pairs if of is not None for test in of.passing)
    found = Findings(
        suite=_result(compared, Kind.UNIT),
        integration=_result(compared, Kind.INTEGRATION),
        lint=checked.lint,
        coverage=None if lines is None else in_all(lines),
        changed_coverage=None if lines is None else of_change(lines, change.texts),
        new_failures=listed(new),
        missing=listed(missing),
        failed=tuple(failed_tests([ran for ran, _ in pairs], listed(new), change.paths, redacted=place.log.redacted)),
        base_tests=len(passing),
        base_passed=len(passing - new - missing),
    )
    about_tests = files_about_tests(change.change_set, commands=commands_of(place.repository))
    if new or not about_tests:
        return found
    base = _base_tests(pairs, place, about_tests, fresh)
    found = replace(
        found,
        missing=listed(missing - frozenset(test for test in base.failing if stands_in(test, about_tests))),
        base_passed=len(passing - base.failing.keys() - base.absent),
        named=(
            *contradicted(base.failing, _changes(base.failing, change, about_tests)),
            *unprovable(base.absent - missing),
        ),
    )
    files = changed_test_files(change.change_set, change.paths)
    if found.missing or not files:
        return found
    return _with_new_on_old(found, files, pairs, change=change, about_tests=about_tests, fresh=fresh)


def commands_of(repository: Repository) -> tuple[str, ...]:
    """Return the commands that run a repository's tests."""
    commands = repository.stack.commands
    return tuple(one for one in (commands.test, commands.integration, commands.coverage) if one is not None)


class _Compared(Struct, frozen=True, kw_only=True):
    """One kind of tests with the patch, against what is known of them."""

    result: SuiteResult
    new: frozenset[str]
    missing: frozenset[str]


def _result(compared: Mapping[Kind, _Compared], kind: Kind) -> SuiteResult | None:
    return compared[kind].result if kind in compared else None


def _compared(ran: Ran, known: KnownTests | None, fresh: Fresh, left_alone: Sequence[str]) -> _Compared:
    numbers = count(1)

    def again() -> Ran:
        label = f"again-{next(numbers)}{'-base' if left_alone else ''}"
        return run_again(fresh(f"{label}-{ran.kind}", left_alone), ran, label=label)

    unexpected = new_failures(ran, known)
    chance = forgiven(unexpected, known, again=again)
    return _Compared(
        result=replace(ran.result, flaky=listed(chance)), new=unexpected - chance, missing=missing(ran, known)
    )


class _BaseTests(Struct, frozen=True, kw_only=True):
    """What the tests of the base commit do on the changed code."""

    failing: dict[str, str]
    """What they said, by id."""
    absent: frozenset[str]
    """Did not run, because they do not build or load."""


def _base_tests(
    pairs: Sequence[tuple[Ran, KnownTests | None]], place: Checkout, about_tests: Sequence[str], fresh: Fresh
) -> _BaseTests:
    """Run the tests that passed on the base commit, as that commit has them, on the changed code."""
    place.log.state(f"the tests of the base commit, without the patch's {len(about_tests)} files about tests:")
    passing = frozenset(test for _, known in pairs if known is not None for test in known.passing)
    failing: dict[str, str] = {}
    absent: frozenset[str] = frozenset()
    try:
        base = fresh("base-tests", about_tests)
    except CommandsError:
        return _BaseTests(failing={}, absent=passing)
    for first, known in pairs:
        ran = run_again(base, first, label=base.name)
        own = _compared(ran, known, fresh, about_tests)
        absent |= own.missing
        failing |= {
            test: place.log.redacted(ran.messages.get(test, ""))
            for test in own.new
            if known is None or not known.passing or test in passing
        }
        if not ran.outcomes and not first.outcomes and ran.result.exit_code and not first.result.exit_code:
            failing[f"{first.kind} tests"] = f"exit code {ran.result.exit_code}, and no report of any test"
    return _BaseTests(failing=failing, absent=absent)


def _changes(tests: Iterable[str], change: TestedChange, about_tests: Sequence[str]) -> dict[str, str]:
    """Return how each test changes: in its own file, else in what helps it."""
    found = {}
    for test in tests:
        own = [path for path in about_tests if stands_in(test, [path])] or list(about_tests)
        found[test] = changed_part(test, [change.texts[path] for path in own if path in change.texts])
    return found


def _with_new_on_old(
    found: Findings,
    files: Sequence[str],
    pairs: Sequence[tuple[Ran, KnownTests | None]],
    *,
    change: TestedChange,
    about_tests: Sequence[str],
    fresh: Fresh,
) -> Findings:
    """Run the changed tests on the old code: what is new about them has to be red there."""
    tests = {path: frozenset[str]() for path in files}
    runs = []
    for ran, known in pairs:
        steady = ran.passing - frozenset(known.flaky if known is not None else ())
        own = {path: frozenset(test for test in steady if stands_in(test, [path])) for path in files}
        tests = {path: tests[path] | own[path] for path in files}
        if held := frozenset[str]().union(*own.values()):
            runs.append(replace(ran, outcomes={test: ran.outcomes[test] for test in held}))
    product = tuple(file.path for file in change.change_set.files if file.path not in about_tests)
    old: dict[str, CaseOutcome] | None = {}
    try:
        place = fresh("old-code", product)
        place.log.state(f"the patch's {len(files)} files of tests on the old code:")
        for ran in runs or [ran for ran, _ in pairs]:
            again = run_again(place, ran, label=place.name)
            broken = not again.outcomes and again.result.exit_code != 0
            old = None if old is None or broken else old | again.outcomes
    except CommandsError:
        old = None
    base = frozenset(test for _, known in pairs if known for test in (*known.passing, *known.failing, *known.flaky))
    red, named = new_on_old(tests, old, base=base)
    new = tuple(
        replace(ran, outcomes={test: ran.outcomes[test] for test in red if test in ran.outcomes}) for ran in runs
    )
    return replace(
        found, red_tests=red, named=(*found.named, *named), new_tests=tuple(ran for ran in new if ran.outcomes)
    )
