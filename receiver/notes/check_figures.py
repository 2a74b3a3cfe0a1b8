"""Format results of tests and checks for people, as rows of a table before and after the patch. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct

from pipelines.language import CheckResult, Coverage, SuiteResult
from receiver.notes.markup import Raw
from receiver.notes.view import FixView, Measured, NoteView

NOT_RUN = "not run"


class Row(Struct, frozen=True, kw_only=True):
    """One result, without the patch and with it."""

    name: str
    before: Raw
    after: Raw


def rows(fix: FixView) -> tuple[Row, ...]:
    """Return the rows: reproduction and unit tests always, the other checks where there is a result."""
    before, after = fix.before, fix.after
    found = [
        Row(name="reproduction", before=Raw("✗" if fix.is_red else "?"), after=Raw("✓" if fix.is_green else "?")),
        Row(name="unit tests", before=suite(before.unit), after=suite(after.unit)),
    ]
    if before.integration or after.integration:
        found.append(Row(name="integration tests", before=suite(before.integration), after=suite(after.integration)))
    if before.coverage or after.coverage:
        change = _change(before.coverage, after.coverage)
        found.append(
            Row(
                name="coverage, all lines",
                before=coverage(before.coverage),
                after=Raw(f"{coverage(after.coverage)}{change}"),
            )
        )
    if fix.changed_coverage:
        found.append(Row(name="coverage, changed lines", before=Raw(""), after=share(fix.changed_coverage)))
    if before.lint or after.lint:
        found.append(Row(name="lint and types", before=check(before.lint), after=check(after.lint)))
    return tuple(found)


def line(fix: FixView) -> Raw:
    """Return all rows as one line."""
    return Raw(" · ".join(_said(row) for row in rows(fix)))


def _said(row: Row) -> str:
    return f"{row.name} {row.before} → {row.after}" if row.before else f"{row.name} {row.after}"


def suite(result: SuiteResult | None) -> Raw:
    """Return passed and executed tests, `41/41`, and the numbers of flaky ones and of reports that were not read."""
    if result is None:
        return Raw(NOT_RUN)
    flaky = f", {len(result.flaky)} flaky" if result.flaky else ""
    count = result.reports_unread
    unread = f", {count} {'report' if count == 1 else 'reports'} unread" if count else ""
    return Raw(f"{result.passed}/{result.passed + result.failed + result.errors}{flaky}{unread}")


def tests(measured: Measured) -> Raw:
    """Return passed and executed tests of both suites, `46/46`; empty when neither ran."""
    ran = [result for result in (measured.unit, measured.integration) if result is not None]
    passed = sum(result.passed for result in ran)
    return Raw(f"{passed}/{passed + sum(result.failed + result.errors for result in ran)}" if ran else "")


def coverage(value: Coverage | None) -> Raw:
    """Return the percentage of covered lines, `81.2 %`."""
    percent = None if value is None else value.percent
    return Raw("not measured" if percent is None else f"{percent:.1f} %")


def share(value: Coverage) -> Raw:
    """Return the percentage with both counts, because a percentage of few lines says little."""
    if value.percent is None:
        return Raw("no line to cover")
    return Raw(f"{value.percent:.0f} % ({value.covered} of {value.coverable})")


def _change(before: Coverage | None, after: Coverage | None) -> str:
    if before is None or after is None or before.percent is None or after.percent is None:
        return ""
    change = round(after.percent - before.percent, 1)
    return f" ({'+' if change > 0 else '−'}{abs(change):.1f} pp)" if change else ""


def check(result: CheckResult | None) -> Raw:
    """Return a tick if linters and type checks passed, a cross if not."""
    return Raw(NOT_RUN if result is None else "✓" if result.exit_code == 0 else "✗")


def size(files: int, insertions: int, deletions: int) -> str:
    """Return how large a change is, `2 files +7 −2`."""
    return f"{files} file{'' if files == 1 else 's'} +{insertions} −{deletions}"


def money(value: Decimal | None) -> Raw:
    """Return an amount in dollars, or `unknown`."""
    return Raw("unknown" if value is None else f"${value:.2f}")


def spent(view: NoteView) -> Raw:
    """Return the run's cost and its budget."""
    known = money(view.known_usd) if view.cost_usd is not None else f"at least {money(view.known_usd)}"
    return Raw(f"{known} of {money(view.budget_usd)}")


def listed(parts: Iterator[str]) -> Raw:
    """Return trusted parts, joined by commas."""
    return Raw(", ".join(parts))
