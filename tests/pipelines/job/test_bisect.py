"""The script that a reproduction leaves finds the commit that brought the bug, by a real `git bisect run`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from pipelines.job.reproduction.bisect import bisect_script
from pipelines.language import Framework
from pipelines.language.repository import Commands, Repository, Serve
from sandbox import node_tools

pytestmark = pytest.mark.integration

APP = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(json.dumps({TOTAL}).encode())

if {STARTS}:
    http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
PYTHON = """
import os

def test_the_total(playwright, base_url):
    answer = playwright.request.new_context(base_url=base_url).get("/total")
    assert os.environ["CURRENCY"] == "USD"
    assert answer.json() == 42
"""
TYPESCRIPT = """
import { test, expect } from "@playwright/test";

test("the total", async ({ request }) => {
  expect(await (await request.get("/total")).json()).toBe(42);
});
"""
BREAKS = PYTHON.replace("answer.json()", "answer.jason()")
GOOD, BAD = "42", "41"
HISTORY = ((GOOD, True), (GOOD, True), (GOOD, True), (GOOD, False), (GOOD, True), (BAD, True), (BAD, True))
"""What each commit answers, and whether it starts at all; the sixth brings the bug."""


@pytest.fixture
def binaries() -> Iterator[Path]:
    with TemporaryDirectory(prefix="bug-fix-node-") as name:
        placed = node_tools.place(Path(name) / "node")
        assert placed is not None, "run scripts/setup"
        yield placed


@pytest.fixture
def environment(binaries: Path, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{binaries}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **{f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


@pytest.fixture
def history(tmp_path: Path, environment: dict[str, str]) -> Path:
    """Make a repository whose sixth commit brings the bug, and whose fourth, the one in the middle, does not start."""
    folder = tmp_path / "totals"
    folder.mkdir()
    run(folder, environment, "git", "init", "--quiet", "--initial-branch=main")
    version = msgspec.json.decode((Path(node_tools.__file__).parent / "node" / "package.json").read_bytes())
    package = {"devDependencies": {"@playwright/test": version["devDependencies"]["@playwright/test"]}}
    (folder / "package.json").write_bytes(msgspec.json.encode(package))
    (folder / ".gitignore").write_text("node_modules\n__pycache__\n")
    for number, (total, starts) in enumerate(HISTORY, 1):
        (folder / "app.py").write_text(APP.replace("{TOTAL}", total).replace("{STARTS}", str(starts)))
        (folder / "number").write_text(str(number))
        run(folder, environment, "git", "add", "--all")
        run(folder, environment, "git", "commit", "--quiet", f"--message=Commit {number}")
    return folder


def run(folder: Path, environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def leave(folder: Path, catalogue_of: Any, test: str, framework: Framework, *beside: str) -> Path:
    """Leave test and script as artifacts do, and return the script."""
    (repository,) = catalogue_of(["python"]).repositories.values()
    assert isinstance(repository, Repository)
    install = "sandbox-npm-ci" if framework is Framework.PLAYWRIGHT_TEST else "python -m compileall -q app.py"
    serving = Serve(run="exec python3 app.py", ready="http://127.0.0.1:$PORT/", with_=beside)
    stack = msgspec.structs.replace(
        repository.stack,
        commands=Commands(install=install),
        variables={"CURRENCY": "USD", "PIP_CACHE_DIR": "$CI_PROJECT_DIR/.cache/pip"},
    )
    name = "reproduction_test.py" if framework is Framework.PYTEST else "reproduction.spec.ts"
    folder.mkdir()
    (folder / name).write_text(test)
    script = folder / "bisect.sh"
    script.write_text(
        bisect_script(msgspec.structs.replace(repository, stack=stack), serving, framework=framework, test=name)
    )
    script.chmod(0o755)
    return script


def test_bisect_finds_the_first_bad_commit_past_one_that_does_not_start(
    history: Path, environment: dict[str, str], tmp_path: Path, catalogue_of: Any
) -> None:
    script = leave(tmp_path / "artifacts", catalogue_of, PYTHON, Framework.PYTEST)
    run(history, environment, "git", "bisect", "start", "HEAD", "HEAD~6")
    said = run(history, environment, "git", "bisect", "run", str(script))
    assert "Commit 4" in [
        line.partition("] ")[2] for line in skipped(run(history, environment, "git", "bisect", "log"))
    ]
    first_bad = run(history, environment, "git", "show", "refs/bisect/bad:number")
    assert first_bad == "6", said


def skipped(log: str) -> list[str]:
    return [line for line in log.splitlines() if line.startswith("# skip")]


@pytest.mark.parametrize(
    ("commit", "test", "framework", "beside", "code"),
    [
        ("HEAD", TYPESCRIPT, Framework.PLAYWRIGHT_TEST, (), 1),
        ("HEAD~6", TYPESCRIPT, Framework.PLAYWRIGHT_TEST, (), 0),
        ("HEAD", BREAKS, Framework.PYTEST, (), 125),
        ("HEAD", PYTHON, Framework.PYTEST, ("legacy-api",), 125),
    ],
    ids=["the bug", "no bug", "another failure", "a neighbour is missing"],
)
def test_a_commit_gets_its_exit_code(
    history: Path,
    environment: dict[str, str],
    tmp_path: Path,
    catalogue_of: Any,
    *,
    commit: str,
    test: str,
    framework: Framework,
    beside: tuple[str, ...],
    code: int,
) -> None:
    script = leave(tmp_path / "artifacts", catalogue_of, test, framework, *beside)
    run(history, environment, "git", "checkout", "--quiet", commit)
    done = subprocess.run([script], cwd=history, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    told = [
        line.partition(" ")[2].partition(":")[0] for line in done.stderr.splitlines() if line.startswith("bisect: ")
    ]
    commands = [one for one in told if one in {"install", "serve", "test"}]
    assert commands == ([] if beside else ["install", "serve", "test"])  # in the order in which they run
    assert beside or "bisect: serve: exec python3 app.py" in done.stderr
    assert ("start legacy-api and set LEGACY_API_URL" in done.stderr) == bool(beside)
