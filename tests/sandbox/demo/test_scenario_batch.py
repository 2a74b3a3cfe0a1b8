"""Several scenarios at once: what is played when, what comes of it, and that nothing is left behind."""

import io
import json
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.demo.board import PlainBoard, result
from sandbox.demo.scenario_batch import Command, Entry, perform
from sandbox.scenario_format import Scenario, find, load, names

STORIES = [load(find(name)) for name in names()[:4]]
SUMMARY = {
    "outcome": "in_review",
    "as_expected": True,
    "surprises": [],
    "reason": "Waits for review.",
    "run": {"iterations": 2},
    "cost": {"total": "0.1204"},
    "duration_s": 41.0,
    "merge_requests": [{"repository": "payk12/api", "state": "opened"}],
    "reproduction": {"before": "failed", "after": "passed", "screenshot": None},
    "books_equal": True,
}


class Notes:
    """A board that remembers."""

    def __init__(self) -> None:
        self.running: list[set[str]] = [set()]
        """After each beginning and each end."""
        self.ends: list[str] = []

    def began(self, name: str) -> None:
        """Remember who runs."""
        self.running.append(self.running[-1] | {name})

    def now(self, running: dict[str, str], waiting: int, elapsed_s: float) -> None:
        """Those that run are those that began and did not end."""
        del waiting, elapsed_s
        assert self.running[-1] == set(running)

    def ended(self, entry: Entry) -> None:
        """Remember who ended."""
        self.ends.append(entry.name)
        self.running.append(self.running[-1] - {entry.name})


def script(program: str) -> Command:
    """Play with a short program instead; `FILE` and `NAME` in it are where its summary goes and the scenario's name."""

    def command(scenario: Scenario, document: Path) -> list[str]:
        told = program.replace("FILE", repr(str(document))).replace("NAME", repr(scenario.name))
        return [sys.executable, "-c", f"import json, pathlib, time\n{told}"]

    return command


WRITES = f"time.sleep(0.3); pathlib.Path(FILE).write_text(json.dumps({SUMMARY!r}))"


def test_no_more_than_so_many_are_played_at_a_time_and_all_are_in_the_end(tmp_path: Path) -> None:
    notes = Notes()
    entries = perform(STORIES, notes, jobs=2, folder=tmp_path, command=script(WRITES))
    assert max(len(running) for running in notes.running) == 2
    assert sorted(notes.ends) == sorted(story.name for story in STORIES)
    assert [entry.name for entry in entries] == [story.name for story in STORIES]


def test_an_entry_says_how_the_scenario_ended(tmp_path: Path) -> None:
    [entry] = perform(STORIES[:1], Notes(), jobs=1, folder=tmp_path, command=script(WRITES))
    assert (entry.outcome, entry.as_expected, entry.iterations, entry.cost_usd) == ("in_review", True, 2, "0.1204")
    assert entry.merge_requests == {"payk12/api": "opened"}
    assert entry.reproduction == {"before": "failed", "after": "passed"}
    assert entry.document is not None
    assert json.loads(Path(entry.document).read_text()) == SUMMARY


def test_one_that_cannot_be_played_is_told_with_its_last_words_and_the_others_are_played(tmp_path: Path) -> None:
    fails = f"if NAME == {STORIES[0].name!r}: raise SystemExit('no Postgres here')\n{WRITES}"
    broken, *others = perform(STORIES, Notes(), jobs=2, folder=tmp_path, command=script(fails))
    assert (broken.outcome, broken.as_expected, broken.cost_usd) == (None, False, None)
    assert "no Postgres here" in broken.surprises[0]
    assert all(entry.as_expected for entry in others)


def test_a_summary_of_an_earlier_time_is_not_taken_for_this_one(tmp_path: Path) -> None:
    perform(STORIES[:1], Notes(), jobs=1, folder=tmp_path, command=script(WRITES))
    [entry] = perform(STORIES[:1], Notes(), jobs=1, folder=tmp_path, command=script("raise SystemExit(2)"))
    assert entry.outcome is None


class Impatient(Notes):
    """A person who presses Ctrl-C as soon as something runs."""

    def now(self, running: dict[str, str], waiting: int, elapsed_s: float) -> None:
        """Press it once all have said who they are."""
        super().now(running, waiting, elapsed_s)
        if all(said.isdigit() for said in running.values()):
            self.pids = [int(said) for said in running.values()]
            raise KeyboardInterrupt


def test_when_it_is_stopped_nothing_runs_on(tmp_path: Path) -> None:
    person = Impatient()
    command = script("import os; print(os.getpid(), flush=True); time.sleep(600)")
    with pytest.raises(KeyboardInterrupt):
        perform(STORIES, person, jobs=2, folder=tmp_path, command=command)
    assert len(person.pids) == 2
    for pid in person.pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_plain_lines_give_signs_of_life_while_nothing_happens(tmp_path: Path) -> None:
    heard = tmp_path / "heard"

    class Listener(io.StringIO):
        """Lets the scenario end once two signs of life have been heard."""

        def write(self, text: str) -> int:
            written = super().write(text)
            if self.getvalue().count("  … ") >= 2:
                heard.touch()
            return written

    out = Listener()
    until_heard = f"while not pathlib.Path({str(heard)!r}).exists(): time.sleep(0.02)"
    with PlainBoard(Console(file=out, width=300), every_s=0.05) as board:
        perform(STORIES[:1], board, jobs=1, folder=tmp_path, command=script(f"{until_heard}\n{WRITES}"))
    assert f"▸ {STORIES[0].name}" in out.getvalue()
    assert f"✓ {STORIES[0].name}: in_review" in out.getvalue()


def test_the_table_names_each_scenario_and_why_one_is_not_as_expected(tmp_path: Path) -> None:
    wrong = SUMMARY | {"outcome": "escalated", "as_expected": False, "surprises": ["outcome is escalated"]}
    one = f"if NAME == {STORIES[0].name!r}: SUMMARY = {wrong!r}\nelse: SUMMARY = {SUMMARY!r}\n"
    write = "pathlib.Path(FILE).write_text(json.dumps(SUMMARY))"
    entries = perform(STORIES, Notes(), jobs=4, folder=tmp_path, command=script(one + write))
    told = "\n".join(result(entries, wall_s=100))
    assert all(story.name in told for story in STORIES)
    assert f"✗ {STORIES[0].name}: outcome is escalated. Waits for review." in told
    assert "3 of 4 as expected" in told
