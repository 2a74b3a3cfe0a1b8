"""Take a job from its ID token to its report. Decides which exit code GitLab sees; knows no phase's content."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pipelines.job.communication.client_version import client_version
from pipelines.job.communication.disclosure import at_start
from pipelines.job.communication.errors import (
    ExitCode,
    JobError,
    ReceiverRefusedError,
    ReceiverUnreachableError,
)
from pipelines.job.communication.job_log import JobLog
from pipelines.job.communication.receiver_client import ReceiverClient
from pipelines.job.isolation import file_trees
from pipelines.job.isolation.confinement import Means
from pipelines.job.isolation.environment import JobSettings, Secrets
from pipelines.job.isolation.processes import Launcher, make_root
from pipelines.job.isolation.project_folder import held, write
from pipelines.job.workspace.job import Job
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import EndedBy, Phase, PhaseReport, ReportOutcome
from pipelines.language.report_seal import goes_along, report_path, seal, seal_path, token_sha256
from pipelines.language.wire import Input, InputSource, RunSpec, SessionRequest, encode
from pipelines.phases import import_ahead, phase_function
from pipelines.supervision.cancellation import postponed

_EXIT_CODES = {
    ReportOutcome.SUCCEEDED: ExitCode.SUCCEEDED,
    ReportOutcome.NOT_REPRODUCED: ExitCode.NOT_REPRODUCED,
    ReportOutcome.REJECTED: ExitCode.REJECTED,
    ReportOutcome.FAILED: ExitCode.FAILED,
}
_TRUSTED = frozenset({Phase.GENERATE, Phase.MERGE_REQUEST})
"""Phases that run nothing but this program and git."""


def run_job(settings: JobSettings, secrets: Secrets, log: JobLog, client: ReceiverClient) -> ExitCode:
    """Do the whole job."""
    log.hide(secrets.id_token, secrets.job_token)
    where = f" of {settings.repository}" if settings.repository else ""
    log.state(f"{settings.phase}{where}, run {settings.run}, {settings.kind} {settings.iteration}")
    import_ahead(settings.phase)
    try:
        spec = _told(settings, secrets, log, client)
        with held(Path(settings.project_dir)) as project_dir:
            artifacts = Artifacts(project_dir, spec.phase)
            settings = replace(settings, project_dir=str(project_dir))
            job, report = _do(settings, spec, secrets, artifacts, log, client)
            confidential = False
            try:
                confidential = _submit(report, artifacts, log, client)
            finally:
                job.conclude(confidential=confidential)
    except JobError as error:
        log.say(f"{error.exit_code.name}: {error}", instead=f"{error.exit_code.name}: {type(error).__name__}")
        return error.exit_code
    return _EXIT_CODES[report.outcome]


def _told(settings: JobSettings, secrets: Secrets, log: JobLog, client: ReceiverClient) -> RunSpec:
    request = SessionRequest(
        run=settings.run,
        kind=settings.kind,
        iteration=settings.iteration,
        phase=settings.phase,
        repository=settings.repository,
        client=client_version(),
    )
    with log.step("session with the receiver"):
        session = client.open_session(request, id_token=secrets.id_token)
    log.hide(session.token)
    with log.step("what to do"):
        spec = client.spec()
    told = (spec.run, spec.kind, spec.iteration, spec.phase, spec.repository)
    if told != (settings.run, settings.kind, settings.iteration, settings.phase, settings.repository):
        raise JobError(f"The receiver's instructions are for another job: {spec.phase} of {spec.repository}.")
    return replace(spec, inputs=tuple(_fetched(one, client) for one in spec.inputs))


def _fetched(wanted: Input, client: ReceiverClient) -> Input:
    """Return an input with its bytes, where the receiver has them; `read_input` checks the hash."""
    if wanted.source is InputSource.ARTIFACT:
        return wanted
    return replace(wanted, content=client.blob(wanted.artifact.sha256))


def _do(
    settings: JobSettings,
    spec: RunSpec,
    secrets: Secrets,
    artifacts: Artifacts,
    log: JobLog,
    client: ReceiverClient,
) -> tuple[Job, PhaseReport]:
    """Run the phase; a phase that fails still gets its report, with all that it kept."""
    root = make_root()
    launcher = Launcher(root=root, job_id=settings.job_id)
    job = Job(
        settings=settings,
        spec=spec,
        session=client.session,
        launcher=launcher,
        artifacts=artifacts,
        log=log,
        keep_context=client.keep_context,
    )
    job.disclose(at_start(spec))
    ending = ""
    try:
        _say_isolation(launcher, log, spec.phase)
        job.fetch(token=secrets.job_token)
        report = phase_function(spec.phase)(job)
    except ReceiverRefusedError:
        raise
    except JobError as error:
        report = job.report(ReportOutcome.FAILED, str(error), None, ended_by=error.ended_by)
        ending = f": {error.ended_by} ({type(error).__name__})"
    except Exception as error:  # noqa: BLE001 - a defect of ours must still reach the receiver as a report
        log.state(f"a defect of the job client: {type(error).__name__}")
        log.block("".join(traceback.format_exception(error)), lines=40)
        reason = f"A defect of the job client: {type(error).__name__}: {error}"
        report = job.report(ReportOutcome.FAILED, reason, None, ended_by=EndedBy.DEFECT)
        ending = f": {EndedBy.DEFECT} ({type(error).__name__})"
    finally:
        _clean_up(launcher, job, log)
    # a reason may name what ticket or model said, so where that is kept back only what kind of reason it is is told
    log.say(f"{report.outcome}: {report.reason}", instead=f"{report.outcome}{ending}")
    return job, report


def _clean_up(launcher: Launcher, job: Job, log: JobLog) -> None:
    """End what is left and remove it; a step that fails keeps neither the others nor the report from being done."""
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("end the processes that it started", launcher.end_all),
        ("remove its folder", lambda: file_trees.remove(launcher.root)),
        ("decide what may be told", job.settle),
    )
    with postponed():
        for what, step in steps:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - whatever it is, the job's report must not be lost for it
                log.state(f"the job could not {what}: {type(error).__name__}")
                log.block("".join(traceback.format_exception(error)), lines=20)


def _say_isolation(launcher: Launcher, log: JobLog, phase: Phase) -> None:
    if phase in _TRUSTED:
        return
    if phase in {Phase.REPRODUCTION, Phase.TESTING}:
        log.state(f"isolation: {launcher.isolation}; {_CONFINED[launcher.confinement.means]}")
    if launcher.users.are_apart:
        log.state("untrusted code runs under other users than this job's supervisor")
    else:
        why = "this user may not change to others" if os.geteuid() == 0 else "the runner's user is not root"
        log.state(f"WARNING: untrusted code runs under the supervisor's own user, because {why}")


_CONFINED: Final = {
    Means.NAMESPACES: "a reproduction runs in namespaces of its own, and sees only what it is run with",
    Means.LANDLOCK: "a reproduction reads and writes only what it is run with, by Landlock",
    Means.NOTHING: "nothing but users and permissions keeps a reproduction from other files of this machine",
}


def _submit(report: PhaseReport, artifacts: Artifacts, log: JobLog, client: ReceiverClient) -> bool:
    """Hand in the report; a receiver that can't be reached fetches it later from the job's artifacts, by its seal.

    Of a confidential run no report lies there: a job whose report does not arrive fails. Returns whether the run is
    confidential by now.
    """
    body = encode(report)
    if artifacts.is_open:
        write(artifacts.project_dir, Path(report_path(report.phase)), body)
    along = [artifacts.content(artifact) for artifact in report.artifacts if goes_along(artifact, report)]
    if artifacts.is_open:
        mark = seal(body, token_hash=token_sha256(client.session.token))
        write(artifacts.project_dir, Path(seal_path(report.phase)), f"{mark}\n".encode())
    with log.step("report to the receiver"):
        try:
            for data in along:
                client.put_blob(data)
            return client.report(body).confidential
        except ReceiverUnreachableError as error:
            if not artifacts.is_open:
                log.state("The receiver did not take the report, and of a confidential run none is left here.")
                raise
            log.say(
                f"{error} The report waits as this job's artifact {report_path(report.phase)}; when GitLab shows that "
                "the job passed, the receiver fetches it from there."
            )
            return False
