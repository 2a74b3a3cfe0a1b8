"""Write the notes of a run from its story: what `receiver.outbound` posts. Performs no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from pipelines.catalogue import Catalogue
from pipelines.model import (
    AnalysisResult,
    ImplementationResult,
    IssueKey,
    Phase,
    PhaseResult,
    PrepareResult,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    RunId,
    TestingResult,
)
from receiver.notes import render
from receiver.notes.markup import MARKER
from receiver.notes.view import Change, Fix, Mark, MergeRequestLine, NoteView, PhaseCost, PhaseLine
from receiver.store.story import Job, Report, Story
from receiver.workflow.lifecycle import Progress, meaning
from receiver.workflow.run import RunStatus

MARKS: Final[dict[Progress, Mark]] = {
    Progress.WAITING: Mark.WAITING,
    Progress.WORKING: Mark.WORKING,
    Progress.SUCCEEDED: Mark.DONE,
    Progress.FAILED: Mark.FAILED,
    Progress.CANCELLED: Mark.FAILED,
    Progress.SKIPPED: Mark.WAITING,
}


class StatusNotes:
    """The texts of a run's notes."""

    def __init__(self, *, catalogue: Callable[[], Catalogue], public_url: str, clock: Callable[[], datetime]) -> None:
        self._catalogue = catalogue
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    def ticket(self, story: Story) -> str:
        """Return the status comment on the ticket, in Jira's wiki markup."""
        return render.render_ticket_note(self.view(story))

    def refusal(self, text: str, *, run: str) -> str:
        """Return the comment that says why nothing was started, in Jira's wiki markup."""
        return render.render_refusal(text, run=run)

    def merge_request(self, story: Story, *, repository: str) -> str:
        """Return the status note on a merge request, in GitLab's Markdown."""
        return render.render_merge_request_note(self.view(story), repository=ProjectPath(repository))

    def description(self, story: Story, *, repository: str, evidence: tuple[str, ...]) -> str:
        """Return a merge request's description, in GitLab's Markdown; `evidence` is GitLab's Markdown of uploads."""
        return render.render_merge_request_description(
            self.view(story), repository=ProjectPath(repository), evidence=evidence
        )

    def marker(self, run: str) -> str:
        """Return the text that each note of a run holds."""
        return f"{MARKER}{run}"

    def view(self, story: Story) -> NoteView:
        """Return what the notes say."""
        run, plan, policy = story.run, story.plan, self._catalogue().policy
        pipelines = [p for p in story.pipelines if p.iteration == run.iteration]
        above = next((p for p in reversed(pipelines) if p.parent is None), None)
        reports = [r for r in story.reports if r.iteration == run.iteration and r.state != "pending"]
        jobs = [job for pipeline in pipelines for job in pipeline.jobs]
        in_scope = [part.repository for part in plan.repositories] if plan else []
        return NoteView(
            run=RunId(run.id),
            issue_key=IssueKey(run.issue_key),
            issue_url=run.ticket_url,
            status=RunStatus(run.status),
            reason=run.reason,
            iteration=run.iteration,
            iterations=policy.iterations,
            summary=plan.summary if plan else "",
            cause=plan.root_cause if plan else "",
            location=plan.location if plan else None,
            risk=plan.risk if plan else "",
            risk_reason=plan.risk_reason if plan else "",
            phases=tuple(_phases(jobs, reports, above.url if above else "")),
            fixes=tuple(_fix(repository, reports) for repository in in_scope),
            merge_requests=tuple(
                MergeRequestLine(
                    repository=ProjectPath(m.repository), iid=m.iid, url=m.url, state=m.state, head_sha=m.head_sha
                )
                for m in story.merge_requests
            ),
            remarks=tuple(_remarks(story)),
            diagnoses=tuple(a.diagnosis for a in story.iterations if a.diagnosis),
            cost_usd=story.costs.total.cost_usd,
            known_usd=story.costs.total.known_usd,
            budget_usd=story.costs.budget_usd if story.costs.budget_usd is not None else policy.budget_usd.run,
            costs=tuple(PhaseCost(phase=name, cost_usd=cost.cost_usd) for name, cost in story.costs.by_phase.items()),
            pipeline_url=above.url if above else "",
            story_url=f"{self._public_url}/runs/{run.id}",
            updated_at=self._clock(),
        )


def _phases(jobs: Iterable[Job], reports: list[Report], pipeline_url: str) -> Iterator[PhaseLine]:
    """Yield the newest job of each phase and repository."""
    project, _, _ = pipeline_url.partition("/-/pipelines/")
    newest = {(job.phase, job.repository): job for job in sorted(jobs, key=lambda j: j.id) if job.phase}
    told = {r.job: r for r in reports}
    for (name, repository), job in newest.items():
        phase = Phase(str(name))
        if phase in {Phase.PREPARE, Phase.GENERATE}:
            continue
        report = told.get(job.id)
        is_no = report is not None and report.outcome == ReportOutcome.NOT_REPRODUCED
        yield PhaseLine(
            phase=phase,
            repository=ProjectPath(repository) if repository else None,
            mark=Mark.NO if is_no else MARKS[meaning(job.status).progress],
            url=f"{project}/-/jobs/{job.id}" if project else "",
            finding=_finding(report) if report else "",
        )


def _finding(report: Report) -> str:
    match report.result:
        case AnalysisResult(plan=plan) if plan.location is not None:
            return f"{plan.location.file}:{plan.location.line}"
        case ReproductionResult(reproduced=True):
            return f"red, {report.result.failure}"
        case ImplementationResult(files=files, insertions=insertions, deletions=deletions):
            return f"{len(files)} file{'' if len(files) == 1 else 's'} +{insertions} −{deletions}"
        case TestingResult(reproduction_after_passed=True, suite=suite):
            return f"green, {render.suite(suite)}"
        case _:
            return report.reason


def _fix(repository: ProjectPath, reports: list[Report]) -> Fix:
    """Return what the accepted reports of a repository tell."""
    counted = {r.phase: r.result for r in reports if r.repository == repository and r.state == "accepted" and r.result}
    fix = Fix(repository=repository)
    for result in counted.values():
        fix = _with(fix, result)
    return fix


def _with(fix: Fix, result: PhaseResult) -> Fix:
    match result:
        case PrepareResult():
            return replace(fix, suite_before=result.baseline)
        case ReproductionResult():
            return replace(fix, symptom=result.symptom, steps=result.steps, is_red=result.reproduced)
        case ImplementationResult(fix=said):
            changes = tuple(Change(file=one.file, rationale=one.rationale) for one in said.files)
            return replace(fix, changes=changes, risk=said.risk, rollback=said.rollback)
        case TestingResult():
            green = result.reproduction_after_passed
            return replace(fix, is_green=green, suite_after=result.suite)
        case _:
            return fix


def _remarks(story: Story) -> Iterator[str]:
    """Yield what could not be done without stopping the run, the newest word on each matter."""
    said = {act.kind: str(act.result["sentence"]) for act in story.effects if act.result and act.result.get("sentence")}
    done = {act.kind for act in story.effects if act.result and act.result.get("moved")}
    yield from (sentence for kind, sentence in said.items() if kind not in done)
