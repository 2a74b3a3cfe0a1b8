"""Say why a run's pipeline brought no fix, as a code and a sentence, and what people can do next. No I/O."""

from __future__ import annotations

from typing import Final

from pipelines.generation.job_names import parse_job_name
from pipelines.language import DiagnosisKind, EndedBy, Phase, PhaseReport, ReproductionResult
from receiver.workflow import diagnoses
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.lifecycle import Progress, meaning
from receiver.workflow.run import JobView, Run, RunStatus

NEXT: Final[dict[Phase, str]] = {
    Phase.ANALYSIS: "Read the job's transcript and add what is missing to the ticket, then set the label again.",
    Phase.PREPARE: "Make the repository's own install and test commands pass on its default branch, then set the "
    "label again.",
    Phase.GENERATE: "Read the job's log; the catalogue or the plan can't be turned into a pipeline.",
    Phase.REPRODUCTION: "Add exact steps and what was expected to the ticket, then set the label again.",
    Phase.IMPLEMENTATION: "Read the job's transcript; a hint in the ticket may help, then set the label again.",
    Phase.TESTING: "Look at the failing tests in the job and finish the patch that is kept as its artifact.",
    Phase.REVIEW: "Read the job's transcript; the tested patch is kept as an artifact of the jobs before it.",
    Phase.MERGE_REQUEST: "Read which check refused the patch, and finish it by hand from the job's artifact.",
}
"""What a person can do when the work of a phase failed."""

NEXT_AFTER: Final[dict[EndedBy, str]] = {
    EndedBy.BUDGET: "What the money went on is in the run's story.",  # the gateway's sentence names the limit to raise
    EndedBy.LIMITS: "Read the job's transcript: if it was on the way, raise the limits of its agent in bug-fix.yml "
    "(max_turns, max_cost_usd, max_seconds), else split the ticket; then set the label again.",
    EndedBy.DECLINED: "Nothing in the settings changes that: a person has to take the ticket.",
    EndedBy.LENGTH: "Split the ticket, or name the files that matter in it, then set the label again.",
    EndedBy.NOT_PERMITTED: "Nothing is wrong with the ticket: check the agent's model in bug-fix.yml and read the "
    "receiver's log, then set the label again.",
    EndedBy.UNAVAILABLE: "Nothing is wrong with the ticket: set the label again when gateway and model answer.",
    EndedBy.COMMANDS: "Run the commands that bug-fix.yml has for the repository in a fresh clone, with the job's patch "
    "if it has one, and mend what fails; then set the label again.",
    EndedBy.RUNNER: "Nothing is wrong with the ticket: mend the runner or its rights, then set the label again.",
    EndedBy.UNDELIVERED: "Check that the job's runner reaches the receiver, then set the label again.",
    EndedBy.DEFECT: "Nothing is wrong with the ticket: report this with the job's log, and finish it by hand.",
}
"""What a person can do when something else than the phase's own work ended it."""

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


ENDED_BY: Final[dict[EndedBy, EndCode]] = {
    EndedBy.BUDGET: EndCode.BUDGET,
    EndedBy.LIMITS: EndCode.AGENT_LIMIT,
    EndedBy.DECLINED: EndCode.MODEL_DECLINED,
    EndedBy.LENGTH: EndCode.CONVERSATION_LENGTH,
    EndedBy.NOT_PERMITTED: EndCode.MODEL_NOT_PERMITTED,
    EndedBy.UNAVAILABLE: EndCode.MODEL_UNAVAILABLE,
    EndedBy.COMMANDS: EndCode.COMMANDS,
    EndedBy.RUNNER: EndCode.RUNNER,
    EndedBy.UNDELIVERED: EndCode.UNDELIVERED_REPORT,
    EndedBy.DEFECT: EndCode.DEFECT,
}
"""Codes of what stopped a phase from outside."""

DIAGNOSED: Final[dict[DiagnosisKind, EndCode]] = {
    DiagnosisKind.REPRODUCTION: EndCode.REPRODUCTION,
    DiagnosisKind.FAILING_TESTS: EndCode.FAILING_TESTS,
    DiagnosisKind.REGRESSION: EndCode.REGRESSION,
    DiagnosisKind.REFUSED_CHANGE: EndCode.REFUSED_CHANGE,
    DiagnosisKind.UNFINISHED: EndCode.UNFINISHED,
}
"""Codes of what the phase's own work came to."""


def of_end(run: Run, pipeline_status: str) -> tuple[RunStatus, EndReason]:
    """Return how a run ends whose pipeline ended without a fix, and why."""
    failed = [j for j in run.jobs if meaning(j.status).progress is Progress.FAILED and not j.allow_failure]
    reported = [r for r in run.discarded if r.reason]
    if failed and not reported and all(j.failure_reason in INFRASTRUCTURE for j in failed):
        names = ", ".join(f"{j.name} ({j.failure_reason})" for j in failed)
        said = f"GitLab could not run: {names}. Check the runners, then set the label again."
        return RunStatus.FAILED, EndReason(code=EndCode.RUNNER, sentence=said)
    for job in failed:
        if (report := _report_of(job, reported)) is not None:
            return RunStatus.ESCALATED, _of_report(report, f"The job {job.name} failed")
    # Jobs that need a report which never arrived fail without one of their own: it is the cause, they are not.
    lost = [r for r in reported if r.ended_by is EndedBy.UNDELIVERED]
    if failed and not lost:
        why = failed[0].failure_reason or "no reason given"
        said = f"The job {failed[0].name} failed ({why}). {FROM_ANY}"
        return RunStatus.ESCALATED, EndReason(code=EndCode.UNEXPLAINED_JOB, sentence=said)
    if reported:
        report = (lost or reported)[0]
        where = f" of {report.repository}" if report.repository else ""
        return RunStatus.ESCALATED, _of_report(report, f"The {report.phase.replace('_', ' ')}{where} did not count")
    if meaning(pipeline_status).progress is Progress.SUCCEEDED:
        missing = "The pipeline succeeded without submitting a fix: a report is missing or was never accepted."
        return RunStatus.ESCALATED, EndReason(code=EndCode.NO_FIX_SUBMITTED, sentence=f"{missing} {FROM_ANY}")
    said = f"The pipeline ended as {pipeline_status}, and no job said why. {FROM_ANY}"
    return RunStatus.ESCALATED, EndReason(code=EndCode.UNEXPLAINED_JOB, sentence=said)


def of_waiting(run: Run) -> str:
    """Return what a run that is overdue waits for, as a sentence."""
    named = [(f"job {j.name}", j.status) for j in run.jobs]
    named += [(f"pipeline {p.pipeline}", p.status) for p in run.pipelines]
    for name, status in named:
        waits_for = meaning(status).waits_for
        if waits_for:
            return f"The {name} is {status}: it waits {waits_for}."
    return "Its pipeline still runs." if run.pipelines else "No pipeline is known."


def _report_of(job: JobView, reported: list[PhaseReport]) -> PhaseReport | None:
    named = parse_job_name(job.name)
    if named is None:
        return None
    return next((r for r in reported if (r.phase, r.repository) == (named.phase, named.repository)), None)


def _of_report(report: PhaseReport, what: str) -> EndReason:
    diagnosis = diagnoses.of_report(report)
    code = ENDED_BY.get(report.ended_by) or DIAGNOSED[diagnosis.kind]
    next_step = NEXT_AFTER.get(report.ended_by, NEXT[report.phase])
    return EndReason(code=code, sentence=f"{what}: {sentence(report.reason)} {next_step}", diagnosis=diagnosis)


def of_no(report: PhaseReport) -> str:
    """Return why nothing was reproduced, what was seen and tried; what the reporter is asked is told beside it."""
    result = report.result
    if not isinstance(result, ReproductionResult) or result.reproduced:
        return sentence(report.reason)
    tried = "; ".join(step.strip().rstrip(".") for step in result.steps)
    parts = (("", result.failure), ("Seen instead: ", result.symptom), ("Tried: ", tried))
    return " ".join(sentence(f"{what}{text}") for what, text in parts if text.strip())


MAX_REASON: Final = 600
"""Characters of a job's own words that are shown: it is untrusted, and people read it in a comment."""


def sentence(reason: str) -> str:
    """Return a job's or a model's own words as one sentence of bounded length."""
    short = " ".join(reason.split())
    short = short if len(short) <= MAX_REASON else short[:MAX_REASON] + "…"
    return short if short.endswith((".", "!", "?", "…")) else f"{short}."
