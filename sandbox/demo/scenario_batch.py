"""Play several scenarios side by side, each in a process and a world of its own, and sum up how they ended.

Shows progress through a `Board`; what a scenario itself says goes into its log. Judges nothing: each scenario does.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from msgspec import Struct

from sandbox.demo.processes import Process, python_module
from sandbox.scenario_format import Scenario

POLL_S = 0.2
PATIENCE_S = 40.0
"""How long a scenario may take to put its world away when it is stopped."""


class Entry(Struct, frozen=True, kw_only=True):
    """How a scenario ended: an entry of the document that `--all --json` writes."""

    name: str
    title: str
    issue_key: str
    expected: str
    outcome: str | None
    """None: it could not be played to its end."""
    as_expected: bool
    surprises: tuple[str, ...]
    """Where the story differs from what the scenario expects, or why it could not be played."""
    reason: str
    """What the run says of its end."""
    duration_s: float
    """From the label to the end."""
    wall_s: float
    """With the start and the end of its world."""
    cost_usd: str | None
    """None: unknown."""
    iterations: int
    merge_requests: dict[str, str]
    """GitLab project to the state of its merge request."""
    own_pipelines: dict[str, str]
    """GitLab project to how its own pipeline for the merge request ended, or where it is."""
    reproduction: dict[str, str | None]
    """`before` and `after`."""
    books_equal: bool
    """The ledger says the same as the provider's books."""
    document: str | None
    """The scenario's own summary, a file."""
    log: str
    """What it said while it was played, a file."""


class Board(Protocol):
    """Where progress is shown."""

    def began(self, name: str) -> None:
        """Show that a scenario begins."""

    def now(self, running: dict[str, str], waiting: int, elapsed_s: float) -> None:
        """Show what those that run last said, and how many still wait."""

    def ended(self, entry: Entry) -> None:
        """Show how a scenario ended."""


Command = Callable[[Scenario, Path], list[str]]
"""Gives the command that plays a scenario and writes its summary to a file."""


def demo_command(timeout_s: float, *, page_size: int | None = None) -> Command:
    """Play scenarios as `scripts/demo` plays one; each gives up after `timeout_s` seconds."""

    def command(scenario: Scenario, document: Path) -> list[str]:
        options = ["--scenario", str(scenario.folder), "--json", str(document), "--timeout", str(timeout_s)]
        options += [] if page_size is None else ["--page-size", str(page_size)]
        return python_module("sandbox.demo", "--plain", *options)

    return command


class Performance:
    """A scenario that is being played, as a process."""

    def __init__(self, scenario: Scenario, folder: Path, command: Command) -> None:
        """Start to play."""
        folder.mkdir(parents=True, exist_ok=True)
        self.scenario = scenario
        self._document = folder / "summary.json"
        self._document.unlink(missing_ok=True)
        self._log = folder / "log.txt"
        self._log.unlink(missing_ok=True)
        self._began = time.monotonic()
        self._process = Process(
            scenario.name,
            command(scenario, self._document),
            environment={**os.environ, "PYTHONUNBUFFERED": "1"},
            log=self._log,
        )

    def running(self) -> bool:
        """Whether it is still being played."""
        return self._process.running()

    def stop(self) -> None:
        """End it and put its world away."""
        self._process.stop(patience_s=PATIENCE_S)

    def said(self) -> str:
        """Return what it said last, in a few words."""
        return " ".join(self._process.tail(1).strip(" …").split())[:100]

    def entry(self) -> Entry:
        """Return how it ended."""
        told: dict[str, Any] = json.loads(self._document.read_text()) if self._document.exists() else {}
        run = told.get("run", {})
        return Entry(
            name=self.scenario.name,
            title=self.scenario.title,
            issue_key=self.scenario.issue_key,
            expected=self.scenario.expected.outcome,
            outcome=told.get("outcome"),
            as_expected=told.get("as_expected", False),
            surprises=tuple(told.get("surprises", [f"It could not be played. {self._process.tail(3)}"])),
            reason=told.get("reason", ""),
            duration_s=told.get("duration_s", 0.0),
            wall_s=round(time.monotonic() - self._began, 2),
            cost_usd=told.get("cost", {}).get("total"),
            iterations=run.get("iterations", 0),
            merge_requests={one["repository"]: one["state"] for one in told.get("merge_requests", [])},
            own_pipelines={name: one["status"] for name, one in told.get("own_pipelines", {}).items()},
            reproduction={when: told.get("reproduction", {}).get(when) for when in ("before", "after")},
            books_equal=told.get("books_equal", False),
            document=str(self._document) if told else None,
            log=str(self._log),
        )


class _Stage:
    """Those that are being played; when the block ends early they are stopped."""

    def __init__(self) -> None:
        self.playing: list[Performance] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self.playing:
            one.stop()


def perform(
    scenarios: Sequence[Scenario], board: Board, *, jobs: int, folder: Path, command: Command
) -> tuple[Entry, ...]:
    """Play all of them, `jobs` at a time, and return how they ended, in the order in which they were given."""
    began = time.monotonic()
    waiting = sorted(scenarios, key=_length)  # the longest is taken first, so that it does not play alone at the end
    ended: dict[str, Entry] = {}
    with _Stage() as stage:
        while waiting or stage.playing:
            while waiting and len(stage.playing) < jobs:
                scenario = waiting.pop()
                board.began(scenario.name)
                stage.playing.append(Performance(scenario, folder / scenario.name, command))
            time.sleep(POLL_S)
            for one in [one for one in stage.playing if not one.running()]:
                stage.playing.remove(one)
                ended[one.scenario.name] = entry = one.entry()
                board.ended(entry)
            said = {one.scenario.name: one.said() for one in stage.playing}
            board.now(said, len(waiting), time.monotonic() - began)
    return tuple(ended[scenario.name] for scenario in scenarios)


def _length(scenario: Scenario) -> int:
    return sum(len(conversation.turns) for conversation in scenario.conversations) * len(scenario.repositories)
