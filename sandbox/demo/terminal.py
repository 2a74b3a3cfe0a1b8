"""Show a run as it goes: a live tree on a terminal, plain lines elsewhere. Never silent for more than two seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.status import Status
from rich.table import Table
from rich.text import Text

from sandbox.demo.pulse import HEARTBEAT_S, Pulse
from sandbox.demo.story import Cost, Job, Report, Story

MARKS = {
    "success": ("✓", "green"),
    "failed": ("✗", "red"),
    "canceled": ("⊘", "yellow"),
    "skipped": ("–", "dim"),
    "running": ("▸", "cyan"),
}
"""What a job's status looks like; everything else waits."""

WARNING = ("!", "yellow")
"""What a job looks like that failed and was allowed to, as GitLab marks it."""


class Screen(Protocol):
    """Where a demo shows what happens, during a block."""

    def __enter__(self) -> Self:
        """Begin to give signs of life."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave what was shown standing."""

    def line(self, text: str) -> None:
        """Say something that stays."""

    def now(self, what: str) -> None:
        """Give signs of life that name this, until something else goes on; with nothing, be silent."""

    def busy(self, what: str) -> AbstractContextManager[object]:
        """Give signs of life while something takes its time."""

    def show(self, story: Story, elapsed_s: float) -> None:
        """Show where the run is now."""

    def wait(self, elapsed_s: float) -> None:
        """Show that nothing has begun yet."""

    def close(self) -> None:
        """Leave the last picture of the run standing."""


def screen(console: Console) -> Screen:
    """Return the screen that fits the console."""
    return LiveScreen(console) if console.is_terminal else PlainScreen(console)


class PlainScreen:
    """One line for each change, and a sign of life in between."""

    def __init__(
        self, console: Console, *, every_s: float = HEARTBEAT_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write to `console`, in a block also a sign of life after `every_s` seconds of silence."""
        self._console = console
        self._clock = clock
        self._lock = threading.RLock()
        self._pulse = Pulse(self._beat, every_s=every_s, clock=clock)
        self._seen: dict[int, str] = {}
        self._told = 0
        self._doing = ""
        self._since = clock()

    def __enter__(self) -> Self:
        """Begin to give signs of life."""
        self._pulse.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lines stay; no more signs of life."""
        self._pulse.__exit__(kind, error, trace)

    def line(self, text: str) -> None:
        """Print a line."""
        with self._lock:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)
            self._pulse.spoke()

    def now(self, what: str) -> None:
        """Name this in signs of life, with the seconds since now."""
        self._goes_on(what, since=self._clock())

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Name this in signs of life during the block."""
        before, since = self._doing, self._since
        self.now(what)
        try:
            yield
        finally:
            self._goes_on(before, since=since)

    def show(self, story: Story, elapsed_s: float) -> None:
        """Print the jobs that changed, and each change of the run's status, also one that was over before this look."""
        for job in story.jobs():
            if job.status in {"created", "pending"} or self._seen.get(job.id) == job.status:
                continue
            self._seen[job.id] = job.status
            mark, _ = _mark(job)
            self.line(f"  {job.name:<38} {mark} {_measures(job, story)}".rstrip())
        for moment in story.moments[self._told :]:
            if moment.status_after is not None and moment.status_after != moment.status_before:
                status = moment.status_after.replace("_", " ")
                self.line(f"{story.run.issue_key}: {status}. {story.public_reason(moment)}".rstrip())
        self._told = len(story.moments)
        self._goes_on(", ".join(story.going_on()) or "waiting", since=self._clock() - elapsed_s)

    def wait(self, elapsed_s: float) -> None:
        """Give signs of life before the run exists."""
        self._goes_on("waiting for the run to begin", since=self._clock() - elapsed_s)

    def close(self) -> None:
        """Do nothing: lines stay."""

    def _goes_on(self, what: str, *, since: float) -> None:
        with self._lock:
            self._doing, self._since = what, since

    def _beat(self) -> None:
        with self._lock:
            if self._doing:
                self.line(f"  … {self._clock() - self._since:.0f} s, {self._doing}")


class _Moving:
    """A picture whose seconds go on while nothing else does; drawn several times a second by a thread of its own."""

    def __init__(self, draw: Callable[[float], RenderableType], elapsed_s: float) -> None:
        self._draw = draw
        self._began = time.monotonic() - elapsed_s

    def __rich__(self) -> RenderableType:
        return self._draw(time.monotonic() - self._began)


class LiveScreen:
    """A tree that is drawn again as the run goes."""

    def __init__(self, console: Console) -> None:
        """Draw on `console`."""
        self._console = console
        self._live: Live | None = None
        self._status: Status | None = None
        self._spinner = Spinner("dots")

    def __enter__(self) -> Self:
        """Take the terminal when there is something to draw."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the terminal."""
        self.close()
        self.now("")

    def line(self, text: str) -> None:
        """Print a line above the tree."""
        self._console.print(text, highlight=False, markup=False)

    def now(self, what: str) -> None:
        """Turn a spinner that names this, from now on."""
        if self._status is not None:
            self._status.stop()
            self._status = None
        if what:
            self.close()
            self._status = self._console.status(f"{what} …")
            self._status.start()

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Turn a spinner while something goes on; the tree, where it is drawn, moves by itself."""
        if self._live is not None:
            yield
            return
        self.now(what)
        try:
            yield
        finally:
            self.now("")

    def show(self, story: Story, elapsed_s: float) -> None:
        """Draw the tree."""
        self._draw(_Moving(lambda seconds: self._table(story, seconds), elapsed_s))

    def wait(self, elapsed_s: float) -> None:
        """Draw a sign of life before the run exists."""
        waiting = "waiting for the run to begin"
        self._draw(_Moving(lambda seconds: Text(f"{waiting} · {seconds:.0f} s", style="dim"), elapsed_s))

    def close(self) -> None:
        """Draw the last picture and let go of the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

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
            mark, style = _mark(job)
            state = self._spinner if job.status == "running" else Text(mark, style=style)
            table.add_row("", Text(job.name), state, Text(_measures(job, story)))
        table.caption = f"{story.run.status.replace('_', ' ')} · {elapsed_s:.0f} s"
        table.caption_justify = "left"
        return table


def _mark(job: Job) -> tuple[str, str]:
    """Return mark and style of a job's status."""
    return WARNING if job.is_warning else MARKS.get(job.status, ("·", "dim"))


def _measures(job: Job, story: Story) -> str:
    """Return seconds, cost and finding of a job."""
    seconds = f"{job.duration_s:3.0f} s" if job.duration_s is not None and job.status != "running" else ""
    part = story.costs.by_phase.get(job.phase or "")
    money = dollars(part) if part is not None and part.calls and seconds else ""
    found = _finding(job, story.report(job))
    told = " ".join(filter(None, ["failed, allowed to fail:" if job.is_warning else "", found])).rstrip(":")
    return f"{seconds:<6} {money:<7} {told}".rstrip()


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
