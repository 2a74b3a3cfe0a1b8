"""Whether the checks that failed are green with a remedy. Pure.

The rest of the fix is tested again after it; this only says whether the remedy heals what it is for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pipelines.language import Check, CheckResult, Diagnosis, PrepareResult, SuiteResult


def newest(diagnoses: Iterable[Diagnosis], *, repository: str | None) -> tuple[Diagnosis, ...]:
    """Return what went wrong in a repository the last time that something did."""
    own = [one for one in diagnoses if one.repository == repository]
    last = max((one.attempt for one in own), default=0)
    return tuple(one for one in own if one.attempt == last)


def checks_to_run(diagnoses: Iterable[Diagnosis]) -> frozenset[Check]:
    """Return which checks said no."""
    return frozenset(output.check for one in diagnoses for output in one.output)


def still_red_lint(before: PrepareResult | None, now: CheckResult | None) -> str | None:
    """Return why lint is not healed; None: it is clean, or as it was before the fix."""
    known = 0 if before is None or before.lint is None else abs(before.lint.exit_code)
    if now is None:
        return "there is no lint command to verify it with"
    return f"lint still ends with {now.exit_code}" if abs(now.exit_code) > known else None


def still_red_tests(failed: Collection[str], suites: Iterable[SuiteResult]) -> str | None:
    """Return why the tests are not healed; None: none of those that failed fails, and no command ends in silence."""
    ran = tuple(suites)
    if not ran:
        return "there is no test command to verify it with"
    failing = {test for one in ran for test in one.failing}
    red = sorted(failing.intersection(failed)) if failed else sorted(failing)
    if red:
        return f"{red[0]} still fails"
    silent = next((one for one in ran if one.exit_code and not one.failed + one.errors), None)
    return None if silent is None else f"the test command ends with {silent.exit_code} and names no failing test"
