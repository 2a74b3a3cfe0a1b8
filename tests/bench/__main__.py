"""The command `scripts/bench`: measure, show a table with targets and verdicts, keep the figures."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from sandbox.demo.processes import DemoError
from sandbox.demo.world import CHECKOUT
from tests.bench.figures import Verdict
from tests.bench.measures import MEASURES, Measure
from tests.bench.plan import FULL, QUICK, Plan
from tests.bench.report import Machine, MeasureReport, Report, encoded, rows, with_figures, written

DOCUMENT = CHECKOUT / "docs" / "performance.md"
CANNOT = 2
STYLES = {Verdict.MET: "green", Verdict.MISSED: "red", Verdict.NONE: ""}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 measured, whatever the verdicts, 2 could not be measured."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        report = (
            msgspec.json.decode(options.use.read_bytes(), type=Report) if options.use else _measured(options, console)
        )
    except KeyboardInterrupt:
        console.print("Stopped.")
        return CANNOT
    except (OSError, msgspec.MsgspecError) as error:
        console.print(f"✗ {error}", markup=False)
        return CANNOT
    _show(report, console)
    if options.json:
        options.json.write_bytes(encoded(report))
        console.print(f"Figures written to {options.json}", markup=False)
    if options.write_docs:
        DOCUMENT.write_text(with_figures(DOCUMENT.read_text(), report))
        console.print(f"{DOCUMENT.relative_to(CHECKOUT)} has these figures now", markup=False)
    return CANNOT if any(one.problem for one in report.measures) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure the product with real processes: six measures, in several rounds. About ten "
        "minutes; the machine should do nothing else. Exit code 0 whatever the verdicts are; 2 when something "
        "could not be measured.",
        epilog="Measures: " + "; ".join(f"{one.name} ({one.title})" for one in MEASURES) + ". What the figures say and "
        "what they don't: docs/performance.md.",
    )
    names = [one.name for one in MEASURES]
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures for programs")
    parser.add_argument("--only", choices=names, action="append", metavar="NAME", help="only this; may be repeated")
    parser.add_argument("--quick", action="store_true", help="short rounds, to see that it works; no figures to quote")
    parser.add_argument("--write-docs", action="store_true", help="put the figures into docs/performance.md")
    parser.add_argument("--use", type=Path, metavar="FILE", help="measure nothing; show an earlier --json FILE again")
    return parser


def _measured(options: argparse.Namespace, console: Console) -> Report:
    plan = QUICK if options.quick else FULL
    machine = _machine()
    if machine.load_before > machine.processors / 4:
        console.print(f"! The machine is busy (load {machine.load_before:.1f}): expect figures that are too bad.")
    chosen = [one for one in MEASURES if not options.only or one.name in options.only]
    at = datetime.now(UTC)
    measures = tuple(_one(measure, plan, console) for measure in chosen)
    return Report(at=at, version=_version(), quick=options.quick, machine=machine, measures=measures)


def _one(measure: Measure, plan: Plan, console: Console) -> MeasureReport:
    began = time.monotonic()
    console.print(f"▸ {measure.name}: {measure.title}", markup=False)

    def tell(line: str) -> None:
        console.print(f"  {time.monotonic() - began:6.1f} s  {line}", markup=False)

    try:
        return written(measure, measure.run(plan, tell))
    except (DemoError, OSError) as error:
        console.print(f"✗ {measure.name} could not be measured: {error}", markup=False)
        return MeasureReport(name=measure.name, title=measure.title, problem=str(error))


def _show(report: Report, console: Console) -> None:
    for measure in report.measures:
        if measure.problem:
            continue
        table = Table(
            "", "value", "rounds: min … median … max", "target", "", title=measure.title, title_justify="left"
        )
        for row, figure in zip(rows(measure), measure.figures, strict=True):
            table.add_row(*row, style=STYLES[figure.verdict])
        console.print(table)
        for name, fact in measure.facts.items():
            console.print(f"  {name}: {fact}", markup=False)


def _machine() -> Machine:
    processor = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), processor)
    return Machine(
        processors=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else psutil.cpu_count() or 1,
        processor=processor,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load_before=os.getloadavg()[0],
    )


def _version() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
