"""Show a run as it goes: a live tree on a terminal, plain lines elsewhere. Never silent for more than two seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from sandbox.demo.story import Cost, Job, Report, Story

HEARTBEAT_S = 1.8
MARKS = {
    "success": ("✓", "green"),
    "failed": ("✗", "red"),
    "canceled": ("⊘", "yellow"),
    "skipped": ("–", "dim"),
    "running": ("▸", "cyan"),
}
"""What a job's status looks like; everything else waits."""


class Screen(Protocol):
    """Where a demo shows what happens."""

    def line(self, text: str) -> None:
        """Say something that stays."""

    def busy(self, what: str) -> AbstractContextManager[object]:
        """Give signs of life while something takes its time."""

    def show(self, story: Story, elapsed_s: float) -> None:
        """Show where the run is now."""

    def wait(self, elapsed_s: float) -> None:
        """Show that nothing has begun yet."""

    def close(self) -> None:
        """Leave the last picture standing."""


def screen(console: Console) -> Screen:
    """Return the screen that fits the console."""
    return LiveScreen(console) if console.is_terminal else PlainScreen(console)


class PlainScreen:
    """One line for each change, and a sign of life in between."""

    def __init__(self, console: Console) -> None:
        """Write to `console`."""
        self._console = console
        self._seen: dict[int, str] = {}
        self._told = 0
        self._spoken = time.monotonic()

    def line(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)
        self._spoken = time.monotonic()

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Say every now and then that something still goes on."""
        done, began = threading.Event(), time.monotonic()

        def say() -> None:
            while not done.wait(HEARTBEAT_S):
                self.line(f"  … {what}, {time.monotonic() - began:.0f} s")

        speaker = threading.Thread(target=say, daemon=True)
        speaker.start()
        try:
            yield
        finally:
            done.set()
            speaker.join()

    def show(self, story: Story, elapsed_s: float) -> None:
        """Print the jobs that changed, and each change of the run's status, also one that was over before this look."""
        for job in story.jobs():
            if job.status in {"created", "pending"} or self._seen.get(job.id) == job.status:
                continue
            self._seen[job.id] = job.status
            mark, _ = MARKS.get(job.status, ("·", "dim"))
            self.line(f"  {job.name:<38} {mark} {_measures(job, story)}".rstrip())
        for moment in story.moments[self._told :]:
            if moment.status_after is not None and moment.status_after != moment.status_before:
                status = moment.status_after.replace("_", " ")
                self.line(f"{story.run.issue_key}: {status}. {moment.reason}".rstrip())
        self._told = len(story.moments)
        self._beat([job.name for job in story.jobs() if job.status == "running"], elapsed_s)

    def wait(self, elapsed_s: float) -> None:
        """Give a sign of life before the run exists."""
        self._beat([], elapsed_s)

    def _beat(self, running: list[str], elapsed_s: float) -> None:
        if time.monotonic() - self._spoken >= HEARTBEAT_S:
            self.line(f"  … {elapsed_s:.0f} s, {', '.join(running) or 'waiting'}")

    def close(self) -> None:
        """Do nothing: lines stay."""


class LiveScreen:
    """A tree that is drawn again as the run goes."""

    def __init__(self, console: Console) -> None:
        """Draw on `console`."""
        self._console = console
        self._live: Live | None = None
        self._spinner = Spinner("dots")

    def line(self, text: str) -> None:
        """Print a line above the tree."""
        self._console.print(text, highlight=False, markup=False)

    def busy(self, what: str) -> AbstractContextManager[object]:
        """Turn a spinner while something goes on."""
        return self._console.status(f"{what} …")

    def show(self, story: Story, elapsed_s: float) -> None:
        """Draw the tree."""
        self._draw(self._table(story, elapsed_s))

    def wait(self, elapsed_s: float) -> None:
        """Draw a sign of life before the run exists."""
        self._draw(Text(f"waiting for the run to begin · {elapsed_s:.0f} s", style="dim"))

    def close(self) -> None:
        """Draw the last picture and let go of the terminal."""
        if self._live is not None:
            self._live.stop()

    def _draw(self, picture: RenderableType) -> None:
        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=8)
            self._live.start()
        self._live.update(picture)

    def _table(self, story: Story, elapsed_s: float) -> Table:
        table = Table.grid(padding=(0, 1))
        heading = Text(f"{story.run.issue_key}  ", style="bold").append(story.run.summary, style="default")
        table.title, table.title_justify, table.title_style = heading, "left", ""
        for job in story.jobs():
            mark, style = MARKS.get(job.status, ("·", "dim"))
            state = self._spinner if job.status == "running" else Text(mark, style=style)
            table.add_row("", Text(job.name), state, Text(_measures(job, story)))
        table.caption = f"{story.run.status.replace('_', ' ')} · {elapsed_s:.0f} s"
        table.caption_justify = "left"
        return table


def _measures(job: Job, story: Story) -> str:
    """Return seconds, cost and finding of a job."""
    seconds = f"{job.duration_s:3.0f} s" if job.duration_s is not None and job.status != "running" else ""
    part = story.costs.by_phase.get(job.phase or "")
    money = dollars(part) if part is not None and part.calls and seconds else ""
    return f"{seconds:<6} {money:<7} {_finding(job, story.report(job))}".rstrip()


def dollars(part: Cost) -> str:
    """Return money for people; what is not known is said to be unknown."""
    if part.cost_usd is None:
        return f"${part.known_usd:.2f} + ?"
    return f"${part.cost_usd:.4f}" if part.cost_usd < 1 else f"${part.cost_usd:.2f}"


def _finding(job: Job, told: Report | None) -> str:
    """Return what a job found, in a few words."""
    if told is None:
        return "failed without a report" if job.status == "failed" and job.phase else ""
    return told.reason
