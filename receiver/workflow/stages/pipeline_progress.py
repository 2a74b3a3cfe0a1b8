"""Decide what GitLab's work means: pipelines, jobs, reports, and how an iteration ends. Performs no I/O."""

from __future__ import annotations

from datetime import datetime

from pipelines.language import GenerateResult, Phase, PhaseReport, ReportOutcome
from pipelines.language.catalogue import Catalogue
from pipelines.language.pipeline_key import fix
from pipelines.language.policy import Policy
from receiver import limits
from receiver.workflow import end_reasons, lifecycle
from receiver.workflow.attempts import next_attempt
from receiver.workflow.effects import OpenMergeRequest, PollGitLab, SettleReports, UpdateTicketNote
from receiver.workflow.end_codes import EndCode, EndReason
from receiver.workflow.events.pipeline_events import (
    JobChanged,
    PipelineChanged,
    ReportAccepted,
    ReportDiscarded,
    ReportsSettled,
)
from receiver.workflow.lifecycle import Progress
from receiver.workflow.outcomes import ended, ignored, moved, noted
from receiver.workflow.run import Cause, Decision, Learned, PipelineView, Run, RunStatus
from receiver.workflow.stages import failed_attempts, fix_gate, plans, review_findings
from receiver.workflow.stages.start import neutral_branch


def unknown_pipeline(event: PipelineChanged | JobChanged, *, catalogue: Catalogue) -> Decision:
    """Ignore what belongs to no run."""
    if event.project.casefold() == catalogue.automation_project.casefold():
        return ignored(f"No run is known yet for pipeline {event.pipeline} of {event.project}.")
    return ignored(f"Pipeline {event.pipeline} is {event.project or 'a project'}'s own.")


def pipeline_changed(  # noqa: PLR0911  # each guard has its sentence
    event: PipelineChanged, run: Run, *, learned: Learned, now: datetime
) -> Decision:
    """Settle reports when a pipeline of the run ended. The parent's end ends the iteration, once they are settled."""
    view = next((p for p in run.pipelines if p.pipeline == event.pipeline), None)
    if view is None:
        return ignored(f"Pipeline {event.pipeline} is not one of run {run.id}.")
    if view.key != fix(run.iteration):
        return noted(f"Pipeline {event.pipeline} belongs to {view.key}; the run is at {fix(run.iteration)}.")
    if view.status != event.status:
        return noted(f"GitLab said `{event.status}` of pipeline {event.pipeline} after `{view.status}`, which stands.")
    if run.status is not RunStatus.RUNNING or not lifecycle.is_over(view.status) or not learned.is_new:
        return noted(_what_it_does(view))
    if view.parent is not None:
        settle = SettleReports(iteration=run.iteration)
        # hooks of its jobs that came before the one that made it known were ignored
        ask = () if _is_heard_of(view, run) else (PollGitLab(iteration=run.iteration),)
        return noted(f"Child pipeline {view.pipeline} ended as {view.status}.", settle, *ask)
    if lifecycle.meaning(view.status).progress is Progress.CANCELLED:
        reason = f"Somebody cancelled pipeline {view.pipeline} in GitLab. Set the label again for a new run."
        return ended(run, RunStatus.CANCELLED, EndReason(code=EndCode.CANCELLED, sentence=reason), now=now)
    return noted(
        f"Pipeline {view.pipeline} ended as {view.status}; its last reports are being settled.",
        SettleReports(iteration=run.iteration),
        deadline=now + limits.REPORTS_SETTLE,
    )


def _is_heard_of(child: PipelineView, run: Run) -> bool:
    """Return whether the end of every job that the child was generated with is known."""
    generated = run.report(Phase.GENERATE)
    result = None if generated is None else generated.result
    ended_jobs = {job.name for job in run.jobs if job.pipeline == child.pipeline and lifecycle.is_over(job.status)}
    return isinstance(result, GenerateResult) and ended_jobs.issuperset(result.jobs)


def _what_it_does(view: PipelineView) -> str:
    waits_for = lifecycle.meaning(view.status).waits_for
    return f"Pipeline {view.pipeline} is {view.status}{': it waits ' + waits_for if waits_for else ''}."


def job_changed(event: JobChanged, run: Run, *, learned: Learned) -> Decision:
    """Settle reports when a job ended."""
    view = next((j for j in run.jobs if j.job == event.job), None)
    if view is None:
        return ignored(f"Job {event.job} ({event.name}) is not one of run {run.id}'s current iteration.")
    if view.status != event.status:
        return noted(f"GitLab said `{event.status}` of job {event.name} after `{view.status}`, which stands.")
    if run.status is RunStatus.RUNNING and lifecycle.is_over(view.status) and learned.is_new:
        return noted(f"Job {event.name} ended as {view.status}.", SettleReports(iteration=run.iteration))
    return noted(f"Job {event.name} is {view.status}.")


def report_accepted(  # noqa: PLR0911  # each guard has its sentence
    event: ReportAccepted, run: Run, *, learned: Learned, catalogue: Catalogue, now: datetime
) -> Decision:
    """Open the merge requests once every repository's fix is proved.

    A plan that is no fix opens nothing and ends nothing yet: the pipeline that it is generated into is to succeed.
    """
    report = event.report
    if report.run != run.id or report.iteration != run.iteration:
        return ignored(f"The report of job {event.job} belongs to iteration {report.iteration} of run {report.run}.")
    if report not in run.reports:
        return ignored(f"The report of job {event.job} does not count: a newer job of the phase reported, or none did.")
    if not learned.is_new:
        return noted(f"{_name(report)} was accepted before.")
    if run.status is not RunStatus.RUNNING:
        return noted(f"{_name(report)} was accepted; the run is {run.status}.")
    stop = plans.stop_for(run, catalogue.policy)
    if stop is not None:
        what = "goes on" if stop.status in lifecycle.WAITING else "ends"
        plan = f"{stop.reason} The run {what} when its pipeline has ended."
        reason = f"{_name(report)}: {plan if report.phase is Phase.ANALYSIS else end_reasons.sentence(report.reason)}"
        return noted(reason, UpdateTicketNote(), branch=neutral_branch(run))
    policy = catalogue.policy
    end = failed_attempts.repeated_change(run, report) or _disagreement(run, policy)
    if end is not None:
        return ended(run, RunStatus.ESCALATED, end, now=now)
    if fix_gate.is_ready(run) and review_findings.goes_back(run, policy):
        return _sent_back(run, catalogue=catalogue, now=now)
    if fix_gate.is_ready(run):
        effects = (OpenMergeRequest(iteration=run.iteration, repository=r) for r in run.repositories)
        return moved(run, RunStatus.OPENING, "The fix is reproduced, tested and submitted.", *effects, now=now)
    if report.outcome is ReportOutcome.NOT_REPRODUCED:
        return noted(f"{_name(report)}: {end_reasons.sentence(report.reason)}", UpdateTicketNote())
    reason = f"{_name(report)}: {end_reasons.sentence(report.reason)}"
    return noted(reason, UpdateTicketNote(), branch=neutral_branch(run))


def _disagreement(run: Run, policy: Policy) -> EndReason | None:
    for repository in run.repositories:
        why = fix_gate.contradiction(run, repository, policy=policy)
        if why is not None:
            said = f"The reports on {repository} disagree: {why}. Look at the jobs' logs; nothing was opened."
            return EndReason(code=EndCode.CONTRADICTORY_REPORTS, sentence=said)
    return None


def _sent_back(run: Run, *, catalogue: Catalogue, now: datetime) -> Decision:
    """Make the fix again, with what the review found."""
    count = len(review_findings.to_be_fixed(run))
    found = "1 thing that" if count == 1 else f"{count} things that"
    return moved(
        run,
        RunStatus.STARTING,
        f"The fix passed its tests, and the review found {found} must be fixed; it is made again, once.",
        now=now,
        attempt=next_attempt(
            run,
            Cause.SENT_BACK,
            catalogue=catalogue,
            diagnoses=review_findings.diagnoses(run),
            approved_by=run.approved_by,
        ),
    )


def report_discarded(event: ReportDiscarded, run: Run, *, learned: Learned) -> Decision:
    """Keep the reason for people."""
    report = event.report
    if report.run != run.id or report.iteration != run.iteration:
        return ignored(f"The report of job {event.job} belongs to iteration {report.iteration} of run {report.run}.")
    reason = f"{_name(report)} does not count: {event.reason}"
    is_news = learned.is_new and run.status is RunStatus.RUNNING
    return noted(reason, UpdateTicketNote()) if is_news else noted(reason)


def reports_settled(event: ReportsSettled, run: Run, *, catalogue: Catalogue, now: datetime) -> Decision:
    """End the iteration if its pipeline ended and nothing more can come."""
    above = run.parent
    if run.status is not RunStatus.RUNNING or event.iteration != run.iteration or above is None:
        return ignored(f"Reports of iteration {event.iteration} are settled; the run is {run.status}.")
    if not lifecycle.is_over(above.status):
        return noted(f"No report is pending; pipeline {above.pipeline} is {above.status}.")
    return concluded(run, above, catalogue=catalogue, now=now)


def concluded(run: Run, above: PipelineView, *, catalogue: Catalogue, now: datetime) -> Decision:
    """End a run whose pipeline ended without a fix, with the cause; or let it wait for people."""
    stop = plans.stop_for(run, catalogue.policy)
    if stop is not None:
        if stop.end is not None:
            return ended(run, stop.status, stop.end, *stop.effects, now=now)
        return moved(run, stop.status, stop.reason, *stop.effects, now=now)
    noes = [report for report in run.reports if report.outcome is ReportOutcome.NOT_REPRODUCED]
    no = min(noes, key=lambda report: report.phase is not Phase.REPRODUCTION, default=None)  # it says what was tried
    if no is not None:
        where = f" in {no.repository}" if no.repository else ""
        reason = (
            f"Not reproduced{where}: {end_reasons.of_no(no)} Nothing was opened; a finished patch is kept with the job."
        )
        why = EndReason(code=EndCode.NOT_REPRODUCED, sentence=reason)
        return ended(run, RunStatus.NOT_REPRODUCED, why, now=now)
    status, why = end_reasons.of_end(run, above.status)
    return failed_attempts.followed_up(run, status, why, catalogue=catalogue, now=now)


def _name(report: PhaseReport) -> str:
    phase = report.phase.replace("_", " ").capitalize()
    return f"{phase} of {report.repository}" if report.repository else phase
