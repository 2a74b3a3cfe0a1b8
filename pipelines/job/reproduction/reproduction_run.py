"""Run one reproduction test against a running application, away from any repository, and keep its evidence.

The test runs as a user of its own in a folder of its own: no conftest, configuration or plugin of the repository (which
a patch could change) has a say in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from pipelines.job import limits
from pipelines.job.communication.errors import JobError, RunnerError
from pipelines.job.isolation import file_trees
from pipelines.job.isolation.command_output import Completed
from pipelines.job.isolation.confinement import View
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.report_formats.junit import JUnitError, read_cases
from pipelines.job.reproduction import playwright_framework, pytest_framework
from pipelines.job.reproduction.application import Application
from pipelines.job.reproduction.browser import Browser
from pipelines.job.reproduction.frameworks import Tools
from pipelines.job.reproduction.run_request import Errand, Prepared, Script
from pipelines.job.workspace.job_files import read_below, read_untrusted
from pipelines.language import ArtifactKind, Framework, evidence_format
from pipelines.proof.observations import LeftFile, Note, TestRun, Viewport, read_notes
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
    server_logs: tuple[tuple[str, bytes], ...] = ()
    """What the application wrote, and what ran beside it: by the end of the file's name."""


class Bench(Struct, frozen=True, kw_only=True):
    """What every run of a job's reproduction uses."""

    launcher: Launcher
    browser: Browser
    tools: Tools
    recorder: Path | None = None
    """Where Playwright finds the ffmpeg to film with; None: nothing is filmed."""


def run_reproduction(
    script: Script, *, application: Application, bench: Bench, folder: Path, base: Path | None = None
) -> Evidence:
    """Run the test once in `folder`, where nothing is left of a run before, and end all that it started.

    `base`: the files of the base commit, for a test that imports from them.
    """
    launcher = bench.launcher
    launcher.renew(Role.BROWSER)
    if not file_trees.remove(folder):
        raise RunnerError(f"What a run of a reproduction left can't be removed: {folder}.")
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
    if script.imports:
        if base is None:
            raise JobError("A reproduction that imports from its repository needs a copy of it.")
        file_trees.copy(base, errand.copy)
    prepared = _PREPARE[script.framework](errand)
    folder.chmod(0o755)
    launcher.users.give(results, Role.BROWSER)
    try:
        completed = launcher.run(
            prepared.command,
            role=Role.BROWSER,
            cwd=folder,
            timeout_s=limits.REPRODUCTION_S,
            extra=application.addresses | prepared.variables | _filmed(bench),
            view=_view(errand, bench),
        )
    except FileNotFoundError as error:
        raise RunnerError(f"{prepared.command[0]} is not on this runner's PATH; its image needs it.") from error
    launcher.end(Role.BROWSER)
    return _evidence(errand, application, completed)


def _view(errand: Errand, bench: Bench) -> View:
    """Return what the test is shown of the folders that are else hidden: its own, and what it is run with."""
    launcher, browser = bench.launcher, bench.browser.executable
    found = (
        errand.folder,
        *launcher.programs(),
        *([Path(browser).resolve().parent] if browser else []),
        *([bench.tools.modules] if bench.tools.modules else []),
        *([bench.recorder] if bench.recorder else []),
    )
    return View(readable=found, writable=(errand.results, launcher.home(Role.BROWSER)))


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
        screenshot=left_file(ArtifactKind.SCREENSHOT, notes, results),
        trace=left_file(ArtifactKind.TRACE, notes, results),
        video=left_file(ArtifactKind.VIDEO, notes, results),
    )


_LIMITS: Final = {
    ArtifactKind.SCREENSHOT: limits.EVIDENCE_FILE,
    ArtifactKind.TRACE: limits.EVIDENCE_FILE,
    ArtifactKind.VIDEO: limits.VIDEO,
}


def left_file(kind: ArtifactKind, notes: Sequence[Note], results: Path) -> bytes | None:
    """Return the first file of a kind that our fixture announced, that lies there and is what it is called.

    A picture must be as large as a page was shown. What it shows is the test's own account all the same.
    """
    sizes = {
        (round(one.width * one.scale), round(one.height * one.scale)) for one in notes if isinstance(one, Viewport)
    }
    for note in notes:
        if not isinstance(note, LeftFile) or note.what != kind:
            continue
        data = read_below(results, note.path, limit=_LIMITS[kind])
        if data is None or evidence_format.fault(kind, data):
            continue
        if kind is not ArtifactKind.SCREENSHOT or any(evidence_format.has_size(data, *size) for size in sizes):
            return data
    return None
