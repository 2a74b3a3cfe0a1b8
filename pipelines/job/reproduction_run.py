"""Run one reproduction test against a running application, away from any repository, and keep its evidence.

The test runs as a user of its own in a folder of its own: no conftest, pytest configuration or plugin of the
repository (which a patch could change) has a say in it.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from msgspec import Struct

from pipelines.job.browser import Browser
from pipelines.job.junit import Case, JUnitError, read_cases
from pipelines.job.processes import Completed, Launcher, Role
from pipelines.job.verdict import Note, TestRun, read_notes
from pipelines.job.workspace import read_untrusted

TIMEOUT_S = 180.0
_CONFTEST = Path(__file__).parent / "reproduction_conftest.py"
_TEST = "test_reproduction.py"
_PLUGIN = "pytest_playwright.pytest_playwright"


class Evidence(Struct, frozen=True, kw_only=True):
    """A run of the reproduction with what it left."""

    run: TestRun
    completed: Completed
    junit: bytes | None
    screenshot: bytes | None
    trace: bytes | None
    notes: bytes | None


def run_reproduction(test: bytes, *, base_url: str, launcher: Launcher, browser: Browser, folder: Path) -> Evidence:
    """Run the test once in `folder`, which must not exist yet, and end all that it started."""
    launcher.renew(Role.BROWSER)
    results = folder / "results"
    results.mkdir(parents=True)
    (folder / _TEST).write_bytes(test)
    (folder / "conftest.py").write_bytes(_CONFTEST.read_bytes())
    (folder / "pytest.ini").write_text("[pytest]\naddopts =\n")
    folder.chmod(0o755)
    launcher.give(results, Role.BROWSER)
    completed = launcher.run(
        _command(launcher, folder, results, base_url),
        role=Role.BROWSER,
        cwd=folder,
        timeout_s=TIMEOUT_S,
        extra={
            "BUG_FIX_NOTES": str(results / "notes.jsonl"),
            "BUG_FIX_BROWSER": json.dumps({"executable": browser.executable, "arguments": browser.arguments}),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )
    launcher.end(Role.BROWSER)
    return _evidence(completed, results)


def _command(launcher: Launcher, folder: Path, results: Path, base_url: str) -> list[str]:
    options = [
        f"--rootdir={folder}",
        f"--confcutdir={folder}",
        "-c",
        str(folder / "pytest.ini"),
        "-p",
        "no:cacheprovider",
    ]
    wanted = ["--tracing=on", "--screenshot=on", "--full-page-screenshot", f"--output={results / 'playwright'}"]
    report = [f"--junitxml={results / 'junit.xml'}", f"--base-url={base_url}", "--import-mode=importlib", "-q"]
    return [
        launcher.runtime.python,
        "-I",
        "-m",
        "pytest",
        "-p",
        _PLUGIN,
        *options,
        *wanted,
        *report,
        str(folder / _TEST),
    ]


def _evidence(completed: Completed, results: Path) -> Evidence:
    junit = read_untrusted(results / "junit.xml")
    noted = read_untrusted(results / "notes.jsonl")
    cases: tuple[Case, ...] = ()
    notes: tuple[Note, ...] = ()
    problem = ""
    try:
        cases = read_cases(junit) if junit is not None else ()
        notes = read_notes(noted) if noted is not None else ()
    except (JUnitError, msgspec.MsgspecError) as error:
        problem = f"The run's report can't be read: {error}."
    return Evidence(
        run=TestRun(
            exit_code=completed.exit_code, timed_out=completed.timed_out, cases=cases, notes=notes, problem=problem
        ),
        completed=completed,
        junit=junit,
        screenshot=_first(results, "*.png"),
        trace=_first(results, "*.zip"),
        notes=noted,
    )


def _first(results: Path, pattern: str) -> bytes | None:
    for path in sorted((results / "playwright").rglob(pattern)):
        if path.resolve().is_relative_to(results.resolve()):
            return read_untrusted(path)
    return None
