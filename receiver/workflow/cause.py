"""Say why a run's pipeline brought no fix, and what people can do next. Performs no I/O."""

from __future__ import annotations

from typing import Final

from pipelines.job_names import parse_job_name
from pipelines.model import Phase, PhaseReport, ProjectPath
from receiver.workflow.lifecycle import Progress, meaning
from receiver.workflow.run import JobView, Run, RunStatus

NEXT: Final[dict[Phase, str]] = {
    Phase.ANALYSIS: "Add what is missing to the ticket, then take the label off and set it again.",
    Phase.PREPARE: "Make the repository's own install and test commands pass on its default branch, then set the "
    "label again.",
    Phase.GENERATE: "Read the job's log; the catalogue or the plan can't be turned into a pipeline.",
    Phase.REPRODUCTION: "Add exact steps and what was expected to the ticket, then set the label again.",
    Phase.IMPLEMENTATION: "Read the job's transcript; a hint in the ticket may help, then set the label again.",
    Phase.TESTING: "Look at the failing tests in the job and finish the patch that is kept as its artifact.",
    Phase.MERGE_REQUEST: "Read which check refused the patch, and finish it by hand from the job's artifact.",
}
"""What a person can do when a phase failed."""

FROM_ANY: Final = "Read the log of the job in GitLab, then set the label again."

INFRASTRUCTURE: Final = frozenset(
    {
        "runner_system_failure",
        "stuck_or_timeout_failure",
        "runner_unsupported",
        "stale_schedule",
        "scheduler_failure",
        "data_integrity_failure",
        "api_failure",
        "unmet_prerequisites",
    }
)
"""GitLab's reasons that say nothing about the ticket or the fix (doc/ci/yaml: `retry:when`)."""


def of_end(run: Run, pipeline_status: str) -> tuple[RunStatus, str]:
    """Return how a run ends whose pipeline ended without a fix, and the sentences that say why."""
    failed = [j for j in run.jobs if meaning(j.status).progress is Progress.FAILED and not j.allow_failure]
    reasons = {(r.phase, r.repository): r for r in run.discarded}
    told = [r for r in run.discarded if r.reason]
    if failed and not told and all(j.failure_reason in INFRASTRUCTURE for j in failed):
        names = ", ".join(f"{j.name} ({j.failure_reason})" for j in failed)
        return RunStatus.FAILED, f"GitLab could not run: {names}. Check the runners, then set the label again."
    if failed:
        return RunStatus.ESCALATED, _of_job(failed[0], reasons)
    if told:
        return RunStatus.ESCALATED, _of_report(told[0])
    if meaning(pipeline_status).progress is Progress.SUCCEEDED:
        missing = "The pipeline succeeded without submitting a fix: a report is missing or was never accepted."
        return RunStatus.ESCALATED, f"{missing} {FROM_ANY}"
    return RunStatus.ESCALATED, f"The pipeline ended as {pipeline_status}, and no job said why. {FROM_ANY}"


def of_waiting(run: Run) -> str:
    """Return what a run that is overdue waits for, as a sentence."""
    named = [(f"job {j.name}", j.status) for j in run.jobs]
    named += [(f"pipeline {p.pipeline}", p.status) for p in run.pipelines]
    for name, status in named:
        waits_for = meaning(status).waits_for
        if waits_for:
            return f"The {name} is {status}: it waits {waits_for}."
    return "Its pipeline still runs." if run.pipelines else "No pipeline is known."


def _of_job(job: JobView, reasons: dict[tuple[Phase, ProjectPath | None], PhaseReport]) -> str:
    named = parse_job_name(job.name)
    if named is None:
        return f"The job {job.name} failed ({job.failure_reason or 'no reason given'}). {FROM_ANY}"
    report = reasons.get((named.phase, named.repository))
    why = sentence(report.reason) if report and report.reason else f"{job.failure_reason or 'No reason was given'}."
    return f"The job {job.name} failed: {why} {NEXT[named.phase]}"


def _of_report(report: PhaseReport) -> str:
    where = f" of {report.repository}" if report.repository else ""
    return f"The {report.phase.replace('_', ' ')}{where} did not count: {sentence(report.reason)} {NEXT[report.phase]}"


MAX_REASON: Final = 600
"""Characters of a job's own words that are shown: it is untrusted, and people read it in a comment."""


def sentence(reason: str) -> str:
    """Return a job's or a model's own words as one sentence of bounded length."""
    short = " ".join(reason.split())
    short = short if len(short) <= MAX_REASON else short[:MAX_REASON] + "…"
    return short if short.endswith((".", "!", "?", "…")) else f"{short}."
