"""A test that tries to tell before from after, by everything it can leave, find or see, finds nothing to tell by."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.job.isolation.confinement import Means
from pipelines.job.isolation.processes import Launcher, Role
from tests.pipelines.job import telling, told_apart

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be all the runners that there are"),
]
KNOWN = {"none": {"landlock": {"a_device_that_was_touched"}}}
"""What can't be undone, by isolation and means; docs/jobs.md says so."""


@pytest.fixture(autouse=True)
def device() -> Iterator[None]:
    """Let the device that is touched look untouched, before and after."""
    for step in range(2):
        facts = Path("/dev/zero").stat()
        os.utime("/dev/full", ns=(facts.st_atime_ns, facts.st_mtime_ns))
        if step == 0:
            yield


@pytest.mark.parametrize(("isolation", "means"), [("namespaces", Means.NAMESPACES), ("users", Means.LANDLOCK)])
def test_runs_look_alike_to_a_test_of_another_user(isolation: str, means: Means, tmp_path: Path) -> None:
    found, runs = told_apart.told(_open_to_others(tmp_path), means=[means])
    assert found == isolation
    _assert_alike(runs)


@pytest.mark.parametrize("means", [Means.NAMESPACES, Means.LANDLOCK])
def test_runs_look_alike_to_a_test_of_the_same_user(means: Means, launcher: Launcher) -> None:
    launcher.root.chmod(0o755)
    folder = launcher.home(Role.WORK) / "runner"
    code = folder / "code" / "tests" / "pipelines" / "job"
    code.mkdir(parents=True)
    for module in ("told_apart", "telling", "wrong_fixes"):
        shutil.copy(Path(__file__).with_name(f"{module}.py"), code)
    for package in (code, code.parent, code.parent.parent):
        (package / "__init__.py").touch()
    launcher.give(folder, Role.WORK)
    runtime = launcher.runtime
    done = subprocess.run(
        [runtime.python, "-m", "tests.pipelines.job.told_apart", str(folder), means],
        env={
            "PATH": f"{runtime.path[0]}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": runtime.library_path or "",
            "PYTHONPATH": str(folder / "code"),
            "HOME": str(folder),
        },
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        **launcher.popen_arguments(Role.WORK),  # type: ignore[call-overload]  # keyword arguments by name
    )
    lines = done.stdout.splitlines()
    assert "ISOLATION none" in lines, done.stdout + done.stderr
    known = KNOWN["none"].get(means, set())
    _assert_alike([json.loads(line.removeprefix("FOUND ")) for line in lines if line.startswith("FOUND ")], known)


def _assert_alike(runs: list[dict[str, Any]], known: set[str] | frozenset[str] = frozenset()) -> None:
    assert len(runs) == len(told_apart.ORDER)
    assert [set(run["seen"]) - known for run in runs] == [set(), set()]
    assert len(telling.SEEN) + len(runs[0]["facts"]) >= 20
    first, second = (run["facts"] for run in runs)
    assert {name: (first[name], second[name]) for name in first if first[name] != second[name]} == {}


def _open_to_others(folder: Path) -> Path:
    for place in (folder, *folder.parents):
        if place.stat().st_uid == 0 and len(place.parts) > 2:
            place.chmod(0o755)
    return folder
