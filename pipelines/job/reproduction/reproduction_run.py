"""Run one reproduction test against a running application, away from any repository, and keep its evidence.

The test runs as a user of its own in a folder of its own: no conftest, configuration or plugin of the repository (which
a patch could change) has a say in it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from pipelines.job import limits
from pipelines.job.isolation.processes import Completed, Launcher, Role
from pipelines.job.reporting.errors import RunnerError
from pipelines.job.reports.junit import JUnitError, read_cases
from pipelines.job.reproduction import playwright_framework, pytest_framework
from pipelines.job.reproduction.application import Application
from pipelines.job.reproduction.browser import Browser
from pipelines.job.reproduction.frameworks import Tools
from pipelines.job.reproduction.run_request import Errand, Prepared, Script
from pipelines.job.workspace.job_files import read_untrusted
from pipelines.language import Framework
from pipelines.proof.observations import Note, TestRun, read_notes
from pipelines.proof.test_cases import Case

_PREPARE: Final[Mapping[Framework, Callable[[Errand], Prepared]]] = {
    Framework.PYTEST: pytest_framework.prepare,
    Framework.PLAYWRIGHT_TEST: playwright_framework.prepare,
}


class Evidence(Struct, frozen=True, kw_only=True):
    """A run of the reproduction with what it left."""

    run: TestRun
    completed: Completed
    junit: bytes | None
    screenshot: bytes | None
    trace: bytes | None
    video: bytes | None


class Bench(Struct, frozen=True, kw_only=True):
    """What every run of a job's reproduction uses."""

    launcher: Launcher
    browser: Browser
    tools: Tools
    recorder: Path | None = None
    """Where Playwright finds the ffmpeg to film with; None: nothing is filmed."""


def run_reproduction(script: Script, *, application: Application, bench: Bench, folder: Path) -> Evidence:
    """Run the test once in `folder`, which must not exist yet, and end all that it started."""
    launcher = bench.launcher
    launcher.renew(Role.BROWSER)
    results = folder / "results"
    results.mkdir(parents=True)
    errand = Errand(
        script=script,
        base_url=application.base_url,
        browser=bench.browser,
        tools=bench.tools,
        python=launcher.runtime.python,
        folder=folder,
        results=results,
        video=bench.recorder is not None,
    )
    prepared = _PREPARE[script.framework](errand)
    folder.chmod(0o755)
    launcher.give(results, Role.BROWSER)
    try:
        completed = launcher.run(
            prepared.command,
            role=Role.BROWSER,
            cwd=folder,
            timeout_s=limits.REPRODUCTION_S,
            extra=application.addresses | prepared.variables | _filmed(bench),
        )
    except FileNotFoundError as error:
        raise RunnerError(f"{prepared.command[0]} is not on this runner's PATH; its image needs it.") from error
    launcher.end(Role.BROWSER)
    return _evidence(errand, application, completed)


def _filmed(bench: Bench) -> dict[str, str]:
    return {} if bench.recorder is None else {"PLAYWRIGHT_BROWSERS_PATH": str(bench.recorder)}


def _evidence(errand: Errand, application: Application, completed: Completed) -> Evidence:
    results = errand.results
    junit, noted = read_untrusted(results / "junit.xml"), read_untrusted(errand.notes)
    cases: tuple[Case, ...] = ()
    notes: tuple[Note, ...] = ()
    problem = ""
    try:
        cases = read_cases(junit) if junit is not None else ()
        notes = read_notes(noted) if noted is not None else ()
    except (JUnitError, msgspec.MsgspecError) as error:
        problem = f"The run's report can't be read: {error}."
    run = TestRun(
        exit_code=completed.exit_code,
        timed_out=completed.timed_out,
        cases=cases,
        notes=notes,
        base_url=application.base_url,
        beside=tuple(application.addresses.values()),
        problem=problem,
    )
    return Evidence(
        run=run,
        completed=completed,
        junit=junit,
        screenshot=first_file(results, "*.png"),
        trace=first_file(results, "*.zip"),
        video=first_file(results, "*.webm", limit=limits.VIDEO),
    )


def first_file(results: Path, pattern: str, *, limit: int = limits.EVIDENCE_FILE) -> bytes | None:
    """Return the first plain file that really lies there; a test may leave links in circles and folders without end."""
    for path in sorted(islice(_files(results / "playwright", pattern), limits.EVIDENCE_PATHS)):
        data = read_untrusted(path, limit=limit)
        if data is not None:
            return data
    return None


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    if folder.is_symlink():
        return
    with contextlib.suppress(OSError, RecursionError):
        for place, _, names in os.walk(folder):  # follows no link
            yield from (Path(place, name) for name in names if fnmatchcase(name, pattern))
