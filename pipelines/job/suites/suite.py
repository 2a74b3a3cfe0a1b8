"""Run a repository's own tests and read what they leave. Compares nothing, decides nothing.

Each command finds the checkout as it was installed, and nothing of a command before. What lies at the places of the
reports is removed before it starts, so what is read afterwards is fresh; it is read only when every process has ended.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pipelines.job.isolation import file_trees
from pipelines.job.isolation.command_output import Completed
from pipelines.job.report_formats.cobertura import CoberturaError, read_coverage
from pipelines.job.report_formats.hostile_xml import MAX_BYTES, XmlError
from pipelines.job.report_formats.suite_reports import read_report
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job_files import read_untrusted
from pipelines.language import ArtifactKind, CheckResult, SuiteResult
from pipelines.proof.check_lines import telling_lines
from pipelines.proof.measured_file import MeasuredFile
from pipelines.proof.suite_run import Kind, Ran
from pipelines.proof.test_cases import Case, CaseOutcome, by_id, count, failing

_REPORTS = 200
"""Report files that are read at most."""
_DEEPEST = 32
"""Folders below the checkout's in which reports are looked for where a pattern says `**`."""


def run_tests(place: Checkout, kind: Kind) -> Ran | None:
    """Run tests in a kept checkout; None where the catalogue has none. Ends the role's processes.

    Where the catalogue measures coverage, that command comes first; where it leaves a report of its tests, they ran.
    """
    commands = place.repository.stack.commands
    test = commands.integration if kind is Kind.INTEGRATION else commands.test
    measured = None
    if kind is Kind.UNIT and commands.coverage is not None:
        ran = _run(place, kind, commands.coverage, name=f"{kind}" if test is None else "coverage", measures=True)
        if ran.outcomes or test is None:
            return ran
        measured = ran.measured
    if test is None:
        place.log.state(f"the catalogue has no {kind} tests for {place.repository.key}; none are run")
        return None
    return replace(_run(place, kind, test, name=str(kind)), measured=measured)


def run_again(place: Checkout, first: Ran, *, label: str) -> Ran:
    """Run tests as they were run before, for their outcomes only; what is kept of it is named after `label`."""
    return _run(place, first.kind, first.command, name=f"{label}-{first.kind}")


def _run(place: Checkout, kind: Kind, command: str, *, name: str, measures: bool = False) -> Ran:
    stack = place.repository.stack
    place.renew()
    coverage = (stack.coverage_report,) if stack.coverage_report is not None else ()
    for stale in (*_found(place.folder, stack.junit), *_found(place.folder, coverage)):
        file_trees.remove(stale)
    done = place.run(f"{name} tests", command, log_name=f"{name}.log")
    place.end()
    # GitLab shows what is called junit-…: of each kind of tests the first run.
    is_first = name in {str(kind), "coverage"}
    found = _cases(place, f"junit-{kind}" if is_first else name)
    cases = found.cases
    result = SuiteResult(
        passed=count(cases, CaseOutcome.PASSED),
        failed=count(cases, CaseOutcome.FAILED),
        errors=count(cases, CaseOutcome.ERROR),
        skipped=count(cases, CaseOutcome.SKIPPED),
        duration_s=round(done.seconds, 3),
        exit_code=done.exit_code,
        failing=failing(cases),
        reports_read=found.read,
        reports_unread=found.unread,
        lines=() if cases else _printed(place, done),
    )
    wrong = [one for one in cases if one.outcome in {CaseOutcome.FAILED, CaseOutcome.ERROR}]
    told = f"{result.passed} passed, {result.failed} failed, {result.errors} errors, {result.skipped} skipped"
    unread = f", {found.unread} reports that can't be read" if found.unread else ""
    place.log.state(f"{name} tests: {told if cases else 'no report of them'}{unread}, exit code {result.exit_code}")
    return Ran(
        kind=kind,
        command=command,
        result=result,
        outcomes=by_id(cases),
        messages={one.id: one.message for one in wrong},
        details={one.id: one.detail for one in wrong},
        measured=_measured(place, coverage) if measures else None,
    )


def run_lint(place: Checkout) -> CheckResult | None:
    """Run linters and type checks in a kept checkout; None where the catalogue has none. Ends the role's processes."""
    command = place.repository.stack.commands.lint
    if command is None:
        place.log.state(f"the catalogue has no lint command for {place.repository.key}; none is run")
        return None
    place.renew()
    done = place.run("lint", command, log_name="lint.log")
    place.end()
    return CheckResult(exit_code=done.exit_code, duration_s=round(done.seconds, 3), lines=_printed(place, done))


def _printed(place: Checkout, done: Completed) -> tuple[str, ...]:
    """Return what a command printed that failed; each run has another checkout, so its folder is left out."""
    if done.exit_code == 0:
        return ()
    return telling_lines(place.log.redacted(done.output).replace(f"{place.folder}/", ""))


class _Found(Struct, frozen=True, kw_only=True):
    """What the reports of one run say."""

    cases: tuple[Case, ...]
    read: int
    unread: int


def _cases(place: Checkout, name: str) -> _Found:
    cases: list[Case] = []
    read = unread = 0
    inside = f"{place.folder}/"  # some name their cases after the file's whole path, and each run has another checkout
    for number, path in enumerate(_found(place.folder, place.repository.stack.junit)[:_REPORTS]):
        document = _document(place, path)
        if document is None:
            unread += 1
            continue
        try:
            report = read_report(document)
        except XmlError as error:
            place.log.say(f"{path.relative_to(place.folder)} is left out: {error}")
            unread += 1
            continue
        read += 1
        cases += (replace(one, id=one.id.replace(inside, "")) for one in report.cases)
        place.artifacts.keep(ArtifactKind.JUNIT, _numbered(name, number), report.junit)
    return _Found(cases=tuple(cases), read=read, unread=unread)


def _measured(place: Checkout, patterns: tuple[str, ...]) -> tuple[MeasuredFile, ...] | None:
    measured: list[MeasuredFile] = []
    is_there = False
    for number, path in enumerate(_found(place.folder, patterns)[:_REPORTS]):
        document = _document(place, path)
        if document is None:
            continue
        try:
            measured += read_coverage(document)
        except CoberturaError as error:
            place.log.say(f"{path.relative_to(place.folder)} is left out: {error}")
            continue
        is_there = True
        place.artifacts.keep(ArtifactKind.COVERAGE, _numbered("coverage", number), document)
    return tuple(measured) if is_there else None


def _document(place: Checkout, path: Path) -> bytes | None:
    document = read_untrusted(path, limit=MAX_BYTES)
    if document is None:
        place.log.say(f"{path.relative_to(place.folder)} is left out: no plain file of at most {MAX_BYTES} bytes")
    return document


def _numbered(name: str, number: int) -> str:
    return f"{name}-{number}.xml" if number else f"{name}.xml"


def _found(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Return what lies at the places of reports, if it really lies in the folder, also when a link says so."""
    inside = folder.resolve()
    found = {path for pattern in patterns for path in file_trees.find(folder, pattern, deepest=_DEEPEST)}
    return sorted(path for path in found if path.parent.resolve().is_relative_to(inside))
