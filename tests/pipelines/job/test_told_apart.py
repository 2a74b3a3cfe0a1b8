"""A test that tries to tell before from after, by everything it can leave, find or see, finds nothing to tell by."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.job.isolation import file_trees
from pipelines.job.isolation.confined_command import MONOTONIC_START_S
from pipelines.job.isolation.confinement import Means
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.reproduction.application import serve
from pipelines.job.suites.suite import run_tests
from pipelines.job.workspace.checkout import Checkout
from pipelines.proof.suite_run import Kind
from tests.pipelines.job import telling, told_apart
from tests.pipelines.job.wrong_fixes import FILES

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be all the runners that there are"),
]
TOUCHED = "a_device_that_was_touched"
"""Landlock alone can't keep a test of the same user from touching `/dev/full`; docs/jobs.md says so."""
BESIDE = {TOUCHED} if "PYTEST_XDIST_WORKER" in os.environ else set()
"""There is one `/dev/full` for all jobs of a machine, and each restores the times that it found: what the test of one
worker touches, another worker's job may find and restore. test_shared_folders.py shows that times are restored."""

LONGEST_S = 600
"""No run takes longer until its test looks at the clock."""


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let one of these tests run at a time: what another leaves in the machine's places is not a trace of a run."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    with (shared / "told-apart.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


@pytest.fixture(autouse=True)
def _device(_alone: None) -> Iterator[None]:
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
    if means is Means.NAMESPACES and Path("/proc/self/ns/time").exists():
        since = [seconds - MONOTONIC_START_S for run in runs for seconds in run["clocks"]]
        assert [one for one in since if not 0 <= one < LONGEST_S] == [], "a clock does not begin anew with each run"


@pytest.mark.parametrize("means", [pytest.param(Means.NAMESPACES, marks=pytest.mark.nightly), Means.LANDLOCK])
def test_runs_look_alike_to_a_test_of_the_same_user(means: Means, launcher: Launcher) -> None:
    launcher.root.chmod(0o755)
    folder = launcher.home(Role.WORK) / "runner"
    code = folder / "code" / "tests" / "pipelines" / "job"
    code.mkdir(parents=True)
    for module in ("told_apart", "telling", "wrong_fixes"):
        shutil.copy(Path(__file__).with_name(f"{module}.py"), code)
    for package in (code, code.parent, code.parent.parent):
        (package / "__init__.py").touch()
    launcher.users.give(folder, Role.WORK)
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
        **launcher.users.popen_arguments(Role.WORK),  # type: ignore[call-overload]  # keyword arguments by name
    )
    lines = done.stdout.splitlines()
    assert "ISOLATION none" in lines, done.stdout + done.stderr
    known = {TOUCHED} if means is Means.LANDLOCK else set()
    _assert_alike([json.loads(line.removeprefix("FOUND ")) for line in lines if line.startswith("FOUND ")], known)


BROKEN = {"be_skipped", "return_early", "catch_all", "assert_nothing"}
PLANTED = """
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    report.outcome = "passed"
"""
PLANTER = f"""
import pathlib
for folder in (".", "tests", pathlib.Path.home()):
    pathlib.Path(folder, "conftest.py").write_text({PLANTED!r})
"""


def test_a_conftest_that_the_application_plants_where_it_is_served_is_in_no_later_run(tmp_path: Path) -> None:
    server, prices = FILES["shop/__main__.py"], FILES["shop/price.py"]
    files = {
        **FILES,
        "shop/__main__.py": server.replace("HTTPServer((", f"{PLANTER}\nHTTPServer(("),
        "shop/price.py": prices.replace("percent // 100", "percent // 10"),
    }
    job = told_apart.make_job(_open_to_others(tmp_path), means=list(Means), files=files)
    try:
        place = job.check_out("after", Role.APPLICATION)
        place.keep()
        with serve(place):
            assert len(_planted(place)) == 3
        ran = run_tests(place, Kind.UNIT)
        assert ran is not None
        assert {one.rpartition("test_to_")[2] for one in ran.failing} == BROKEN
        assert _planted(place) == []
    finally:
        job.launcher.end_all()
        file_trees.remove(job.root)


def _planted(place: Checkout) -> list[Path]:
    return [path for top in {place.place, place.launcher.home(place.role)} for path in top.rglob("conftest.py")]


def _assert_alike(runs: list[dict[str, Any]], known: set[str] | frozenset[str] = frozenset()) -> None:
    assert len(runs) == len(told_apart.ORDER)
    assert [set(run["seen"]) - known - BESIDE for run in runs] == [set(), set()]
    assert len(telling.SEEN) + len(runs[0]["facts"]) >= 20
    first, second = (run["facts"] for run in runs)
    assert {name: (first[name], second[name]) for name in first if first[name] != second[name]} == {}


def _open_to_others(folder: Path) -> Path:
    for place in (folder, *folder.parents):
        if place.stat().st_uid == 0 and len(place.parts) > 2:
            place.chmod(0o755)
    return folder
