"""The sample estate stands on its own: each service is green by its own commands, and they talk to each other."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest
import yaml

from sandbox import node_tools
from sandbox.scenario_format import SCENARIOS

pytestmark = pytest.mark.integration

ESTATE = SCENARIOS.parent / "estate"
CATALOGUE: dict[str, Any] = yaml.safe_load((ESTATE / "bug-fix.yml").read_text())["repositories"]


@pytest.fixture(scope="module")
def path() -> Iterator[str]:
    """Return the PATH of jobs."""
    with TemporaryDirectory(prefix="bug-fix-node-") as folder:
        node = node_tools.place(Path(folder) / "node")
        assert node is not None, "run scripts/setup"
        yield f"{node}:{Path(sys.executable).parent}:{os.environ['PATH']}"


@pytest.fixture(
    params=[  # the nightly scenario frontend-bug installs, builds and tests the portal
        pytest.param(name, marks=pytest.mark.nightly if name == "frontend" else []) for name in sorted(CATALOGUE)
    ]
)
def key(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def checkout(key: str, folder: Path) -> Path:
    return Path(shutil.copytree(ESTATE / key, folder / key, ignore=shutil.ignore_patterns("node_modules")))


def run(command: str, *, folder: Path, path: str) -> None:
    done = subprocess.run(
        ["/bin/bash", "-c", command],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_a_service_is_green_by_its_own_commands_and_leaves_its_reports(key: str, path: str, tmp_path: Path) -> None:
    folder = checkout(key, tmp_path)
    commands = CATALOGUE[key]["commands"]
    for name in ("install", "lint", "coverage", "test", "integration"):
        run(commands[name], folder=folder, path=path)
    reports = {"frontend": "coverage/cobertura-coverage.xml"}
    assert "<testcase" in (folder / "junit.xml").read_text()
    assert 'line-rate="' in (folder / reports.get(key, "coverage.xml")).read_text()


@contextmanager
def served(key: str, path: str, addresses: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Serve a service as the catalogue says and return its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    serve = CATALOGUE[key]["serve"]
    process = subprocess.Popen(
        ["/bin/bash", "-c", f"exec {serve['run']}" if "=" not in serve["run"] else serve["run"]],
        cwd=checkout(key, folder),
        env={"PATH": path, "HOME": str(folder), "PORT": port, **addresses},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(serve["ready"].replace("$PORT", port), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx2.get(url, timeout=30).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{url} does not answer")


def test_a_fee_gets_from_the_old_system_through_the_api_to_the_portal(path: str, tmp_path: Path) -> None:
    with ExitStack() as running:
        addresses: dict[str, str] = {}
        for key in ("legacy-api", "api", "frontend"):
            url = running.enter_context(served(key, path, addresses, tmp_path))
            addresses[f"{key.upper().replace('-', '_')}_URL"] = url
        page = httpx2.get(f"{addresses['FRONTEND_URL']}/fees", timeout=30).raise_for_status().text
        assert "Chemistry lab" in page
        assert "$18.50" in page
        assert "Rosa Delgado" in httpx2.get(f"{addresses['FRONTEND_URL']}/?q=delgado", timeout=30).text


def test_without_the_old_system_the_portal_says_so(path: str, tmp_path: Path) -> None:
    with ExitStack() as running:
        api = running.enter_context(served("api", path, {}, tmp_path))
        portal = running.enter_context(served("frontend", path, {"API_URL": api}, tmp_path))
        answer = httpx2.get(f"{portal}/fees", timeout=30)
        assert (answer.status_code, "Fees are not available" in answer.text) == (503, True)
