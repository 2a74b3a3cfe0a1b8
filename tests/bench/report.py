"""The bench's results as a document for programs, as a table for people, and as a part of docs/performance.md. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from tests.bench.figures import Figure, Measured, Verdict
from tests.bench.measures import Measure

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


class FigureReport(Struct, frozen=True, kw_only=True):
    """A figure, written out."""

    name: str
    unit: str
    value: float
    """What is held against the target: over all samples, else the median of the rounds."""
    min: float
    median: float
    max: float
    """Of the rounds."""
    rounds: tuple[float, ...]
    target: str
    """For example `≥ 0.25`; empty: none."""
    verdict: Verdict


class MeasureReport(Struct, frozen=True, kw_only=True):
    """A measure, written out."""

    name: str
    title: str
    figures: tuple[FigureReport, ...] = ()
    facts: dict[str, str] = {}
    problem: str = ""
    """Why it could not be measured."""


class Machine(Struct, frozen=True, kw_only=True):
    """Where it was measured."""

    processors: int
    processor: str
    system: str
    python: str
    load_before: float
    """Load average of a minute when the bench began: over 0.5, somebody else was at work."""


class Report(Struct, frozen=True, kw_only=True):
    """All that one call of the bench found: the `--json` document."""

    at: datetime
    version: str
    """Of the code: `git describe`."""
    quick: bool
    """Short rounds, for trying the bench."""
    machine: Machine
    measures: tuple[MeasureReport, ...]


def written(measure: Measure, measured: Measured) -> MeasureReport:
    """Write a measure's findings out."""
    return MeasureReport(
        name=measure.name,
        title=measure.title,
        figures=tuple(_figure(one) for one in measured.figures),
        facts=measured.facts,
    )


def _figure(figure: Figure) -> FigureReport:
    target = figure.target
    return FigureReport(
        name=figure.name,
        unit=figure.unit,
        value=figure.value,
        min=min(figure.rounds),
        median=statistics.median(figure.rounds),
        max=max(figure.rounds),
        rounds=figure.rounds,
        target="" if target is None else f"{target.bound} {target.value:g}",
        verdict=figure.verdict,
    )


def number(value: float, unit: str) -> str:
    """Write a number with as many digits as mean something."""
    digits = 2 if abs(value) < 1 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f}{unit if unit.startswith('/') else f' {unit}' if unit else ''}"


def rows(measure: MeasureReport) -> Sequence[tuple[str, ...]]:
    """Return name, value, rounds, target and verdict of each figure as texts."""
    return [
        (
            one.name,
            number(one.value, one.unit),
            f"{number(one.min, '')} … {number(one.median, '')} … {number(one.max, '')}",
            one.target,
            one.verdict.value,
        )
        for one in measure.figures
    ]


def markdown(report: Report) -> str:
    """Return the part of docs/performance.md that figures fill."""
    machine = report.machine
    lines = [
        BEGIN,
        "",
        f"Measured on {report.at:%Y-%m-%d} at `{report.version}`: {machine.processors} × {machine.processor}, "
        f"{machine.system}, Python {machine.python}; load before it began {machine.load_before:.1f}"
        + (". **Quick rounds, while trying the bench: not to be quoted.**" if report.quick else "."),
        "",
    ]
    for measure in report.measures:
        lines += [f"### {measure.title}", ""]
        if measure.problem:
            lines += [f"Could not be measured: {measure.problem}", ""]
            continue
        lines += ["| Figure | Value | Rounds: min … median … max | Target | |", "|---|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rows(measure)]
        lines += ["", *(f"- {name}: {fact}" for name, fact in measure.facts.items()), ""]
    return "\n".join([*lines, END])


def with_figures(document: str, report: Report) -> str:
    """Return the document with its figures replaced. Raises ValueError where it has no place for them."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The document has no lines {BEGIN} and {END}.")
    return before + markdown(report) + after


def encoded(report: Report) -> bytes:
    """Return the `--json` document."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
