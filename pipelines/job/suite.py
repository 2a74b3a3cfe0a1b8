"""Run a repository's own test-suite and read what it says. Compares two runs; decides nothing else."""

from __future__ import annotations

from pathlib import Path

from pipelines.job.junit import MAX_BYTES, Case, CaseOutcome, JUnitError, count, failing, read_cases
from pipelines.job.workplace import Workplace
from pipelines.job.workspace import read_untrusted
from pipelines.model import ArtifactKind, SuiteResult

_REPORTS = 200
"""JUnit files that are read at most."""


def run_suite(place: Workplace, *, name: str) -> SuiteResult | None:
    """Run the catalogue's test command in a workplace; None where there is none. Ends the role's processes."""
    stack = place.repository.stack
    if stack.commands.test is None:
        place.log.say(f"the catalogue has no test command for {place.repository.key}")
        return None
    for stale in _reports(place.folder, stack.junit):
        stale.unlink()
    done = place.run(f"test-suite ({name})", stack.commands.test, log_name=f"suite-{name}.log")
    place.end()
    cases = _collect(place, name)
    result = SuiteResult(
        passed=count(cases, CaseOutcome.PASSED),
        failed=count(cases, CaseOutcome.FAILED),
        errors=count(cases, CaseOutcome.ERROR),
        skipped=count(cases, CaseOutcome.SKIPPED),
        duration_s=round(done.seconds, 3),
        exit_code=done.exit_code,
        failing=failing(cases),
    )
    place.log.say(
        f"test-suite ({name}): {result.passed} passed, {result.failed} failed, {result.errors} errors, "
        f"{result.skipped} skipped, exit code {result.exit_code}"
    )
    return result


def new_failures(now: SuiteResult, baseline: SuiteResult | None) -> tuple[str, ...]:
    """Return the tests that fail now and did not before."""
    known = frozenset(baseline.failing) if baseline is not None else frozenset()
    return tuple(test for test in now.failing if test not in known)


def regression(now: SuiteResult, baseline: SuiteResult | None) -> str | None:
    """Return why the suite counts as worse than before, a sentence; None: it doesn't.

    An exit code alone can be forged by a patch of the tests, so can a report; tests that vanish are seen here.
    """
    if added := new_failures(now, baseline):
        return f"{len(added)} tests fail that passed before: {', '.join(added[:5])}."
    before = 0 if baseline is None else baseline.passed + baseline.failed + baseline.errors
    ran = now.passed + now.failed + now.errors
    if ran < before:
        return f"Only {ran} tests ran; {before} ran before the patch. Tests must not vanish."
    known = now.failed + now.errors
    if now.exit_code != 0 and known == 0:
        return f"The test command ended with {now.exit_code} though its report names no failing test."
    if baseline is not None and known > baseline.failed + baseline.errors:
        return f"{known} tests fail; {baseline.failed + baseline.errors} failed before the patch."
    return None


def _collect(place: Workplace, name: str) -> tuple[Case, ...]:
    cases: list[Case] = []
    for number, path in enumerate(_reports(place.folder, place.repository.stack.junit)[:_REPORTS]):
        suffix = f"-{number}" if number else ""
        document = read_untrusted(path, limit=MAX_BYTES)
        if document is None:
            continue
        try:
            cases += read_cases(document)
        except JUnitError as error:
            place.log.say(f"{path.relative_to(place.folder)} is left out: {error}")
            continue
        place.artifacts.keep(ArtifactKind.JUNIT, f"junit-{name}{suffix}.xml", document)
    return tuple(cases)


def _reports(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Return the report files that really lie in the folder, also when a link says so."""
    inside = folder.resolve()
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if path.parent.resolve().is_relative_to(inside))
