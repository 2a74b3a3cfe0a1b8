"""Run one job as GitLab Runner's shell executor would: sources, artifacts of others, script, after_script, artifacts.

Not emulated: `image` and `services` are written into the log and not pulled, `tags` choose no runner, caches are
neither restored nor kept. A job runs as the sandbox's own user.
"""

import asyncio
import contextlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import msgspec

from sandbox.ci import limits
from sandbox.ci.configuration.definition import Artifacts, When
from sandbox.ci.configuration.expansion import expanded
from sandbox.ci.errors import CiError
from sandbox.ci.records import Status, TestCase
from sandbox.ci.running import artifacts as archives
from sandbox.ci.running import checkout, reports
from sandbox.ci.running.checkout import CheckoutFailed, Sources
from sandbox.ci.running.job_log import JobLog
from sandbox.ci.running.process import End, Ended, run
from sandbox.ci.running.script import bash

AFTER_SCRIPT_S = 300.0


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """Artifacts of another job."""

    name: str
    job_id: int
    archive: Path


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """All that a runner is told."""

    job_id: int
    sources: Sources
    folder: Path
    """Where everything of this job goes; the build is in `folder / "build"`."""
    log: Path
    environment: dict[str, str]
    """Complete: nothing is added to it but what it tells of the folder."""
    secrets: tuple[str, ...] = ()
    script: tuple[str, ...]
    after_script: tuple[str, ...] = ()
    timeout_s: float
    image: str | None = None
    services: tuple[str, ...] = ()
    downloads: tuple[Download, ...] = ()
    artifacts: Artifacts | None = None
    archive: Path
    coverage: str | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a job went, and what it left."""

    status: Status
    exit_code: int | None = None
    failure_reason: str | None = None
    archive_size: int | None = None
    tests: tuple[TestCase, ...] = ()
    suite_error: str | None = None
    coverage: float | None = None
    coverage_reports: int = 0


class _JobFailed(CiError):  # noqa: N818 - named for what happened
    """The job failed; `reason` is GitLab's failure reason."""

    def __init__(self, message: str, reason: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.exit_code = exit_code


async def execute(order: Order, canceled: asyncio.Event) -> Outcome:
    """Run a job to its end. Raises nothing: what goes wrong is the outcome, and is in the log."""
    log = JobLog(order.log, order.secrets)
    try:
        return await _execute(order, canceled, log)
    except Exception as error:  # noqa: BLE001 - whatever breaks here is the runner's failure, and the job's log says so
        log.problem(f"Job failed (system failure): {type(error).__name__}: {error}")
        return Outcome(status=Status.FAILED, failure_reason="runner_system_failure")
    finally:
        log.close()
        await asyncio.to_thread(shutil.rmtree, order.folder, ignore_errors=True)


async def _execute(order: Order, canceled: asyncio.Event, log: JobLog) -> Outcome:
    build = order.folder / "build"
    environment = order.environment
    await asyncio.to_thread(Path(environment["HOME"]).mkdir, parents=True, exist_ok=True)
    log.note("Running with the sandbox's runner")
    if order.image:
        log.note(f"Using image {expanded(order.image, environment)} (recorded, not pulled)")
    for service in order.services:
        log.note(f"Using service {expanded(service, environment)} (recorded, not started)")
    failure: _JobFailed | None = None
    try:
        await _prepare(order, build, environment, log)
        await _script(order, build, environment, canceled, log)
    except (CheckoutFailed, archives.UnsafeArchive, BadZipFile) as error:
        failure = _JobFailed(str(error), "runner_system_failure")
    except _JobFailed as error:
        failure = error
    left, problem = await _leave(order, build, environment, log, failed=failure is not None)
    failure = failure or problem
    if canceled.is_set():
        log.caution("Job was canceled")
        return msgspec.structs.replace(left, status=Status.CANCELED)
    if failure is None:
        log.success("Job succeeded")
        return left
    log.problem(f"Job failed: {failure}")
    return msgspec.structs.replace(
        left, status=Status.FAILED, exit_code=failure.exit_code, failure_reason=failure.reason
    )


async def _prepare(order: Order, build: Path, environment: dict[str, str], log: JobLog) -> None:
    log.section("Getting source from Git repository")
    await checkout.fetch(order.sources, build, environment=environment, log=log)
    if order.downloads:
        log.section("Downloading artifacts")
    for one in order.downloads:
        log.note(f"Downloading artifacts for {one.name} ({one.job_id})...")
        await asyncio.to_thread(archives.unpack, one.archive, build)


async def _script(order: Order, build: Path, environment: dict[str, str], canceled: asyncio.Event, log: JobLog) -> None:
    if canceled.is_set():
        return
    log.section('Executing "step_script" stage of the job script')
    ended = await _run(order, order.script, build, environment, canceled, log, timeout_s=order.timeout_s)
    if order.after_script:
        log.section('Running "after_script"')
        status = {End.CANCELED: "canceled"}.get(ended.how, "success" if _fine(ended) else "failed")
        after = await _run(
            order,
            order.after_script,
            build,
            {**environment, "CI_JOB_STATUS": status},
            asyncio.Event(),
            log,
            timeout_s=AFTER_SCRIPT_S,
        )
        if not _fine(after):
            log.caution("after_script failed, but job will continue unaffected")
    if ended.how is End.TIMED_OUT:
        raise _JobFailed(f"execution took longer than {order.timeout_s:g} seconds", "job_execution_timeout")
    if ended.how is End.EXITED and ended.code:
        raise _JobFailed(f"exit code {ended.code}", "script_failure", ended.code)


def _fine(ended: Ended) -> bool:
    return ended.how is End.EXITED and ended.code == 0


async def _run(
    order: Order,
    lines: Sequence[str],
    build: Path,
    environment: dict[str, str],
    canceled: asyncio.Event,
    log: JobLog,
    *,
    timeout_s: float,
) -> Ended:
    file = order.folder / "script.sh"
    file.write_text(bash(lines), encoding="utf-8")
    return await run(file, cwd=build, environment=environment, log=log, timeout_s=timeout_s, canceled=canceled)


async def _leave(
    order: Order, build: Path, environment: dict[str, str], log: JobLog, *, failed: bool
) -> tuple[Outcome, _JobFailed | None]:
    """Collect artifacts, reports and coverage."""
    left = Outcome(status=Status.SUCCESS, coverage=_coverage(order.coverage, order.log))
    wanted = order.artifacts
    if wanted is None or not await asyncio.to_thread(build.is_dir):
        return left, None
    if wanted.when not in {When.ALWAYS, When.ON_FAILURE if failed else When.ON_SUCCESS}:
        return left, None
    log.section("Uploading artifacts for " + ("failed job" if failed else "successful job"))
    size: int | None = None
    if wanted.paths:
        paths = [expanded(path, environment) for path in wanted.paths]
        files, unmatched = await asyncio.to_thread(archives.collected, build, paths, wanted.exclude)
        for path in unmatched:
            log.caution(
                f"{path}: no matching files. Ensure that the artifact path is relative to the working directory"
            )
        if not files:
            log.problem("No files to upload")
        else:
            size = await asyncio.to_thread(archives.pack, build, files, order.archive)
            log.note(f'Uploading artifacts as "archive": {len(files)} files, {size} bytes')
            if size > limits.ARTIFACT_BYTES:
                order.archive.unlink()
                return left, _JobFailed("artifacts archive too large (413)", "runner_system_failure")
    tests, suite_error = _tests(build, wanted, environment, log)
    covered = _reported(build, () if wanted.coverage is None else (wanted.coverage,), environment, log)
    return (
        msgspec.structs.replace(
            left,
            archive_size=size,
            tests=tests,
            suite_error=suite_error,
            coverage_reports=len(covered),
        ),
        None,
    )


def _reported(build: Path, globs: Sequence[str], environment: dict[str, str], log: JobLog) -> list[Path]:
    """Give the files of a report; a glob without any is said in the log."""
    files, unmatched = archives.collected(build, [expanded(one, environment) for one in globs])
    for path in unmatched:
        log.caution(f"{path}: no matching files. Ensure that the artifact path is relative to the working directory")
    return files


def _tests(
    build: Path, wanted: Artifacts, environment: dict[str, str], log: JobLog
) -> tuple[tuple[TestCase, ...], str | None]:
    files = _reported(build, wanted.junit, environment, log)
    found: list[TestCase] = []
    try:
        for file in files:
            found.extend(reports.junit(file.read_bytes()))
    except reports.BadReport as error:
        log.caution(str(error))
        return tuple(found), str(error)
    return tuple(found), None


def _coverage(expression: str | None, log: Path) -> float | None:
    """Give the last number that the job's coverage expression finds in the log."""
    if not expression:
        return None
    with contextlib.suppress(re.error, ValueError):
        text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", log.read_text(encoding="utf-8", errors="replace"))
        hits = [match[0] for match in re.finditer(expression.strip("/"), text, re.MULTILINE)]
        numbers = re.findall(r"\d+(?:\.\d+)?", hits[-1]) if hits else []
        return float(numbers[0]) if numbers else None
    return None
