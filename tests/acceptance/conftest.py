"""Whole demos as real processes, each played once for all tests that look at it, whichever worker runs them."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


class Demo(NamedTuple):
    """A demo that was played to its end."""

    exit_code: int
    lines: list[str]
    out: dict[str, Any]


DISTURBED = {"pl-479": ("--page-size", "2", "--chaos")}
"""A whole run whose lists all have several pages (pipelines, jobs, members, notes, comments on the ticket), while whose
child pipeline runs the worker is killed and Postgres is restarted. Undisturbed `.ci/ordinary-user` plays it."""

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


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def played(shared: Path) -> Callable[[str], Demo]:
    """Return a function that plays a scenario and gives what came of it."""
    return lambda name: once(shared, name, lambda folder: play(folder, "--scenario", name, *DISTURBED.get(name, ())))


@pytest.fixture(scope="session")
def programme(shared: Path) -> Demo:
    """Two scenarios by one command, both at once."""
    both = ("--scenario", "infrastructure", "--scenario", "duplicate", "--jobs", "2")
    return once(shared, "programme", lambda folder: play(folder, *both))


@pytest.fixture(scope="session")
def demo(played: Callable[[str], Demo]) -> Demo:
    """PL-479, disturbed."""
    return played("pl-479")
