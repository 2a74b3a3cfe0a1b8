"""Show how several scenarios go and how they ended: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sandbox.demo.pulse import HEARTBEAT_S, Pulse
from sandbox.demo.scenario_batch import Board, Entry


class ShownBoard(Board, Protocol):
    """A board that is open during a block."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave what was shown standing."""


def board(console: Console) -> ShownBoard:
    """Return the board that fits the console."""
    return LiveBoard(console) if console.is_terminal else PlainBoard(console)


class PlainBoard:
    """A line when a scenario begins, one when it ends, and a sign of life in between."""

    def __init__(self, console: Console, *, every_s: float = HEARTBEAT_S) -> None:
        """Write to `console`, in a block also a sign of life after `every_s` seconds of silence."""
        self._console = console
        self._pulse = Pulse(self._beat, every_s=every_s)
        self._began = time.monotonic()
        self._going_on = "starting"

    def __enter__(self) -> Self:
        """Begin to give signs of life."""
        self._pulse.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lines stay."""
        self._pulse.__exit__(kind, error, trace)

    def began(self, name: str) -> None:
        """Say so."""
        self._line(f"▸ {name}")

    def now(self, running: dict[str, str], waiting: int, elapsed_s: float) -> None:
        """Keep it for the next sign of life."""
        told = " | ".join(f"{name}: {said}" for name, said in running.items())
        self._going_on, self._began = told + (f" | {waiting} wait" if waiting else ""), time.monotonic() - elapsed_s

    def ended(self, entry: Entry) -> None:
        """Say how."""
        self._line(_line(entry))

    def _beat(self) -> None:
        self._line(f"  … {time.monotonic() - self._began:.0f} s, {self._going_on}")

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)
        self._pulse.spoke()


class LiveBoard:
    """One row for each scenario that is being played, drawn again and again below those that ended."""

    def __init__(self, console: Console) -> None:
        """Draw on `console`."""
        self._console = console
        self._live = Live(console=console, refresh_per_second=8)

    def __enter__(self) -> Self:
        """Take the terminal."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the terminal."""
        self._live.update(Text(""))
        self._live.stop()

    def began(self, name: str) -> None:
        """Its row appears with the next picture."""

    def now(self, running: dict[str, str], waiting: int, elapsed_s: float) -> None:
        """Draw a row for each."""
        table = Table.grid(padding=(0, 1))
        for name, said in running.items():
            table.add_row(
                Text("▸", style="cyan"), Text(name), Text(said, style="dim", no_wrap=True, overflow="ellipsis")
            )
        table.add_row("", Text(f"{elapsed_s:.0f} s", style="dim"), Text(f"{waiting} wait" if waiting else ""))
        self._live.update(table)

    def ended(self, entry: Entry) -> None:
        """Print its line above the picture."""
        self._console.print(Text(_line(entry), style="" if entry.as_expected else "red"))


def result(entries: Sequence[Entry], *, wall_s: float) -> list[str]:
    """Return the summary table and the reasons of those that did not end as expected, as lines."""
    width = max(len(entry.name) for entry in entries)
    lines = ["", f"{'scenario':<{width}}  {'expected':<18} {'outcome':<18} {'time':>6}  cost"]
    lines += [
        f"{entry.name:<{width}}  {entry.expected:<18} {entry.outcome or 'not played':<18} {entry.duration_s:4.0f} s"
        f"  {_dollars(entry.cost_usd):<8} {'✓' if entry.as_expected else '✗'}".rstrip()
        for entry in entries
    ]
    for entry in entries:
        if not entry.as_expected:
            lines.append(f"✗ {entry.name}: {'; '.join(entry.surprises)}. {entry.reason} Its log: {entry.log}")
    good = sum(entry.as_expected for entry in entries)
    return [*lines, f"{good} of {len(entries)} as expected, in {wall_s:.0f} s"]


def _line(entry: Entry) -> str:
    mark = "✓" if entry.as_expected else "✗"
    outcome = entry.outcome or "not played"
    return f"{mark} {entry.name}: {outcome} · {entry.duration_s:.0f} s · {_dollars(entry.cost_usd)}"


def _dollars(cost_usd: str | None) -> str:
    return "$?" if cost_usd is None else f"${Decimal(cost_usd):.4f}"
