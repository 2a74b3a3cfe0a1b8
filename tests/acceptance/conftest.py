"""Whole demos as real processes, played once for all tests that look at them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


class Demo(NamedTuple):
    """A demo that was played to its end."""

    exit_code: int
    lines: list[str]
    out: dict[str, Any]


def play(folder: Path, *arguments: str) -> Demo:
    """Play the demo without a terminal, as a script would."""
    out = folder / "out.json"
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.demo", "--json", str(out), *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    document = json.loads(out.read_text()) if out.exists() else {}
    return Demo(exit_code=done.returncode, lines=(done.stdout + done.stderr).splitlines(), out=document)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """PL-479, undisturbed."""
    return play(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """PL-479, with the worker killed while the child pipeline runs."""
    return play(tmp_path_factory.mktemp("chaos"), "--chaos")
