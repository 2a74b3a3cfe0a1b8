"""Whole demos as real processes, each played once for all tests that look at it, whichever process runs them."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandbox.scenario import SCENARIOS, names

CHECKOUT = Path(__file__).resolve().parents[2]

STAGED = frozenset({"hostile-model", "hostile-ticket", "hostile-repository", "over-budget"})
"""Scenarios that tests/acceptance/hostile plays, to look into their worlds while they stand."""

ELSEWHERE = "elsewhere"
"""The scenario that is made anew outside of the checkout."""


LAST = frozenset({"test_demo.py", "test_plan_approval.py", "test_hostile_ticket.py"})
"""They look at what `test_scenarios.py` plays."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, which plays most scenarios, and end with what looks at them: nobody waits in between.

    `--dist loadfile` hands files out in this order when it is told not to sort them (`--no-loadscope-reorder`).
    """
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if Path(__file__).parent not in item.path.parents:
        return 1
    return 0 if item.path.name == "test_scenarios.py" else 2 if item.path.name in LAST else 1


class Demo(NamedTuple):
    """A demo that was played to its end."""

    exit_code: int
    lines: list[str]
    out: dict[str, Any]


class Programme(NamedTuple):
    """Several scenarios that were played at once."""

    exit_code: int
    lines: list[str]
    scenarios: dict[str, dict[str, Any]]
    """The entries of the `--json` document, by name."""


PATIENCE_S = 900
"""For each scenario; a person at a quiet machine needs less."""


def play(folder: Path, *arguments: str, timeout_s: float = 1000) -> Demo:
    """Play the demo without a terminal, as a script would."""
    out = folder / "out.json"
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.demo", "--json", str(out), "--timeout", str(PATIENCE_S), *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    document = json.loads(out.read_text()) if out.exists() else {}
    return Demo(exit_code=done.returncode, lines=(done.stdout + done.stderr).splitlines(), out=document)


def once(shared: Path, name: str, make: Callable[[Path], Demo]) -> Demo:
    """Play something once, though several processes run tests: the first one plays, the others wait for it."""
    kept = shared / f"{name}.json"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            folder = shared / name
            folder.mkdir()
            kept.write_text(json.dumps(make(folder)._asdict()))
    return Demo(**json.loads(kept.read_text()))


def copied(folder: Path) -> Path:
    """Copy a scenario with its repository out of the checkout, under another name, for another Jira project."""
    target = folder / ELSEWHERE
    shutil.copytree(SCENARIOS / "feature-request", target)
    shutil.copytree(SCENARIOS.parent / "estate" / "api", folder / "billing")
    head, turns, catalogue = target / "scenario.yml", target / "turns" / "analysis.yml", target / "bug-fix.yml"
    told = head.read_text().replace("name: feature-request", f"name: {ELSEWHERE}").replace("PL-560", "QX-7")
    head.write_text(told.replace("payk12/api: ../../estate/api", "riverside/billing: ../billing"))
    turns.write_text(turns.read_text().replace("PL-560", "QX-7").replace("payk12/api", "riverside/billing"))
    rewritten = (
        catalogue.read_text().replace("project: PL\n", "project: QX\n").replace("payk12/api", "riverside/billing")
    )
    catalogue.write_text(rewritten)
    return target


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def programme(shared: Path) -> Programme:
    """Every scenario that is not staged elsewhere, and one that lies outside of the checkout."""

    def make(folder: Path) -> Demo:
        chosen = [*(name for name in names() if name not in STAGED), str(copied(folder))]
        options = [word for name in chosen for word in ("--scenario", name)]
        return play(folder, *options, "--jobs", "2", timeout_s=1500)

    played = once(shared, "programme", make)
    entries = {entry["name"]: entry for entry in played.out.get("scenarios", [])}
    return Programme(exit_code=played.exit_code, lines=played.lines, scenarios=entries)


@pytest.fixture(scope="session")
def demo(programme: Programme) -> Demo:
    """PL-479, undisturbed."""
    entry = programme.scenarios["pl-479"]
    assert entry["document"] is not None, entry["surprises"]
    return Demo(
        exit_code=0 if entry["as_expected"] else 1,
        lines=Path(entry["log"]).read_text().splitlines(),
        out=json.loads(Path(entry["document"]).read_text()),
    )


@pytest.fixture(scope="session")
def chaos(shared: Path) -> Demo:
    """PL-479, with the worker killed while the child pipeline runs."""
    return once(shared, "chaos", lambda folder: play(folder, "--chaos"))
