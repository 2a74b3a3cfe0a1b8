"""`implementation` by a remedy: a command of the repository mends the change of the attempt before. No model.

The checks that failed are run with it, on a fresh checkout, before it is handed in; everything else is tested after it,
as any other change is.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from pipelines.job.communication.errors import JobError
from pipelines.job.isolation.role_users import Role
from pipelines.job.suites.suite import run_lint, run_tests
from pipelines.job.workspace.changes import collect_changes
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job import Job
from pipelines.language import Check, Diagnosis, FileRationale, FixSubmission, PhaseReport, ReportOutcome
from pipelines.language.change_set import ChangeSet
from pipelines.language.remedy import Remedy, RepositoryCommand
from pipelines.phases.patch_guard import guarded
from pipelines.phases.patch_report import kept_patch, told
from pipelines.proof.remedy_verdict import checks_to_run, newest, still_red_lint, still_red_tests
from pipelines.proof.suite_run import Kind


def run(job: Job, remedy: Remedy, *, previous: ChangeSet | None) -> PhaseReport:
    """Return the mended patch, or why the remedy heals nothing."""
    command = remedy.command and getattr(job.repository.stack.commands, remedy.command)
    if previous is None or job.spec.fix is None or remedy.command is None or not command:
        raise JobError("The receiver told no change to mend, or no command to mend it with.")
    place = job.check_out("work", Role.WORK, change=previous)
    place.install()
    done = place.run(f"remedy {remedy.id}", command, log_name="remedy.log")
    place.end()
    if done.exit_code != 0:
        return _red(job, remedy, f"`commands.{remedy.command}` ends with {done.exit_code}")
    change = collect_changes(job.source, place.folder, launcher=job.launcher, role=Role.WORK)
    if remedy.command is RepositoryCommand.FORMAT:
        change = _only(change, of=previous)
    if change == previous:
        return _red(job, remedy, f"`commands.{remedy.command}` changes nothing of the fix")
    if refused := guarded(change, job):
        return _red(job, remedy, f"what it changes is refused: {' '.join(refused)}")
    if why := _still_red(job, change):
        return _red(job, remedy, why)
    result = kept_patch(job, change, _with_reasons(job.spec.fix.fix, change, previous, remedy))
    return job.report(ReportOutcome.SUCCEEDED, f"Remedy {remedy.id}: {remedy.title}. {told(result)}", result)


def verified_red(job: Job, remedy: Remedy, change: ChangeSet) -> PhaseReport | None:
    """Run the checks that failed with the change that an agent made of a remedy; return the no, None: it is green."""
    why = _still_red(job, change)
    return None if why is None else _red(job, remedy, why)


def _red(job: Job, remedy: Remedy, why: str) -> PhaseReport:
    return job.report(ReportOutcome.REJECTED, f"The remedy {remedy.id} does not heal it: {why}.", None)


def _only(change: ChangeSet, *, of: ChangeSet) -> ChangeSet:
    """Return the change without files that the fix did not touch: a formatter may find others to its taste."""
    paths = {file.path for file in of.files}
    return replace(change, files=tuple(file for file in change.files if file.path in paths))


def _still_red(job: Job, change: ChangeSet) -> str | None:
    """Run the checks that failed with the mended change; return why they are not green."""
    wrong = newest(job.spec.diagnoses, repository=job.spec.repository)
    checks = checks_to_run(wrong)
    if not checks:
        return "nothing says which check failed"
    job.launcher.renew(Role.APPLICATION)
    place = job.check_out("verified", Role.APPLICATION, change=change)
    place.install()
    place.end()
    place.keep()
    try:
        return next((why for check in sorted(checks) if (why := _why_red(job, place, check, wrong)) is not None), None)
    finally:
        place.forget()


def _why_red(job: Job, place: Checkout, check: Check, wrong: Iterable[Diagnosis]) -> str | None:
    if check is Check.LINT:
        return still_red_lint(job.spec.prepared, run_lint(place))
    failed = {test for one in wrong for test in one.tests}
    ran = (run_tests(place, kind) for kind in Kind)
    return still_red_tests(failed, [one.result for one in ran if one is not None])


def _with_reasons(fix: FixSubmission, change: ChangeSet, previous: ChangeSet, remedy: Remedy) -> FixSubmission:
    """Return the reasons of the fix, with what the remedy changed told to people."""
    before = {file.path: file for file in previous.files}
    touched = {file.path for file in change.files if before.get(file.path) != file}
    said = f"Remedy {remedy.id}: `commands.{remedy.command}` was run on it."
    known = {entry.file: entry.rationale for entry in fix.files}
    kept = [
        FileRationale(file=path, rationale=f"{text} {said}" if path in touched else text)
        for path, text in known.items()
        if path in {file.path for file in change.files}
    ]
    return replace(
        fix, files=[*kept, *(FileRationale(file=path, rationale=said) for path in sorted(touched - set(known)))]
    )
