"""Build the texts of a run's notes from its story; `receiver.outbound` posts them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from pipelines.language import IssueKey, Phase, ProjectPath, ReportOutcome, ReproductionResult, RunId
from pipelines.language.catalogue import Catalogue
from pipelines.language.diagnosis import sentences
from receiver.notes import fixes, hand_over_view, render, review_state
from receiver.notes import linked_files as files
from receiver.notes.answer_view import MAX_MOMENTS, AnswerView
from receiver.notes.markup import MARKER
from receiver.notes.view import (
    EvidenceLink,
    Fate,
    FixView,
    Mark,
    MergeRequestLine,
    NoteView,
    PhaseCost,
    PhaseLine,
    Picture,
    Remark,
)
from receiver.store.effects.note_locations import CONFIDENTIAL, REFUSAL, TICKET
from receiver.store.story import Job, MergeRequest, Report, Story
from receiver.store.story.turning_points import turning_points
from receiver.workflow.audience import Readers
from receiver.workflow.effects import AdmitTicket, AnswerComment, AnswerNote, RefreshTicket
from receiver.workflow.events.merge_request_events import FOR_PEOPLE
from receiver.workflow.events.message_events import IssueCommented, NotePosted
from receiver.workflow.lifecycle import Progress, meaning
from receiver.workflow.messages import Venue
from receiver.workflow.run import RunStatus

MARKS: Final[dict[Progress, Mark]] = {
    Progress.WAITING: Mark.WAITING,
    Progress.WORKING: Mark.WORKING,
    Progress.SUCCEEDED: Mark.DONE,
    Progress.FAILED: Mark.FAILED,
    Progress.CANCELLED: Mark.FAILED,
    Progress.SKIPPED: Mark.WAITING,
}


HEARD: Final = frozenset({NotePosted.__name__, IssueCommented.__name__})
"""Events that decide nothing by themselves: what people said is read next."""


class StatusNotes:
    """Builds the text of each note of a run."""

    def __init__(self, *, catalogue: Callable[[], Catalogue], public_url: str, clock: Callable[[], datetime]) -> None:
        self._catalogue = catalogue
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    def ticket(self, story: Story) -> str:
        """Return the status comment on the ticket, in Jira's wiki markup."""
        return render.render_ticket_note(self.view(story))

    def confidential(self, story: Story) -> str:
        """Return the restricted comment with what a confidential run's status comment withholds, as wiki markup."""
        return render.render_ticket_note(self.view(story, readers=Readers.NAMED), suffix=suffix(CONFIDENTIAL))

    def question(self, story: Story, target: str, *, readers: Readers) -> str:
        """Return the comment with the question to the reporter, in Jira's wiki markup. Raises WithheldError."""
        return render.render_question(self.view(story, readers=readers), suffix=suffix(target))

    def plan(self, story: Story, target: str, *, iteration: int, readers: Readers) -> str:
        """Return the comment with a plan that needs or needed approval, in Jira's wiki markup.

        Raises WithheldError, and ValueError if the iteration has no plan.
        """
        plan = next((one.plan for one in story.iterations if one.number == iteration), None)
        if plan is None:
            raise ValueError(f"Iteration {iteration} has no accepted plan to show.")
        return render.render_plan(
            self.view(story, readers=readers), plan, fate=_fate(story, iteration), suffix=suffix(target)
        )

    def answer(self, text: str, *, to: str, run: str, target: str) -> str:
        """Return the answer to a command, in Jira's wiki markup."""
        return render.render_answer(text, to=to, run=run, suffix=suffix(target))

    def ticket_answer(self, story: Story, effect: AnswerComment, target: str) -> str:
        """Return the answer to a command on the ticket, in Jira's wiki markup."""
        named = self._catalogue().jira.confidential
        is_named = effect.readers is not None and effect.readers == named
        view = self._answer_view(story, Venue.TICKET, readers=Readers.NAMED if is_named else Readers.EVERYBODY)
        return render.render_ticket_answer(effect, view, suffix=suffix(target))

    def note_answer(self, story: Story, effect: AnswerNote, target: str) -> str:
        """Return the answer to a command on a merge request, in GitLab's Markdown."""
        view = self._answer_view(story, Venue.MERGE_REQUEST, readers=Readers.EVERYBODY)
        return render.render_note_answer(effect, view, suffix=suffix(target))

    def _answer_view(self, story: Story, where: Venue, *, readers: Readers) -> AnswerView:
        return AnswerView(
            note=self.view(story, readers=readers),
            moments=tuple(one for one in turning_points(story) if one.event not in HEARD)[-MAX_MOMENTS:],
            where=where,
            grants=self._catalogue().commands,
        )

    def hand_over(self, story: Story, target: str, *, readers: Readers) -> str:
        """Return the comment that hands a run over to people, in Jira's wiki markup. Raises WithheldError."""
        view = hand_over_view.of(story, self.view(story, readers=readers), self._catalogue())
        return render.render_hand_over(view, suffix=suffix(target))

    def hand_over_note(self, story: Story, target: str) -> str:
        """Return the note that hands a run over to people, in GitLab's Markdown; neutral where it may not be told."""
        view = hand_over_view.of(story, self.view(story), self._catalogue())
        return render.render_hand_over_note(view, suffix=suffix(target))

    def refusal(self, text: str, *, run: str, heading: str = "not started") -> str:
        """Return the comment that says why no run was started, in Jira's wiki markup."""
        return render.render_refusal(text, run=run, suffix=suffix(REFUSAL), heading=heading)

    def merge_request(self, story: Story, *, repository: str) -> str:
        """Return the status note on a merge request, in GitLab's Markdown."""
        return render.render_merge_request_note(self.view(story), repository=ProjectPath(repository))

    def description(
        self,
        story: Story,
        *,
        repository: str,
        evidence: tuple[EvidenceLink, ...],
        remarks: tuple[str, ...] = (),
        test: str = "",
    ) -> str:
        """Return a merge request's description, in GitLab's Markdown.

        `remarks` are what people should look at, `test` is the text of the reproduction.
        """
        return render.render_merge_request_description(
            self.view(story), repository=ProjectPath(repository), evidence=evidence, remarks=remarks, test=test
        )

    def marker(self, run: str, target: str = TICKET) -> str:
        """Return the text that identifies a note of a run; on a ticket it ends with the note's target."""
        return f"{MARKER}{run}{suffix(target)}"

    def view(self, story: Story, *, readers: Readers = Readers.EVERYBODY) -> NoteView:
        """Return the content of the notes for these readers."""
        run, plan, catalogue = story.run, story.plan, self._catalogue()
        policy = catalogue.policy
        pipelines = [p for p in story.pipelines if p.iteration == run.iteration]
        above = next((p for p in reversed(pipelines) if p.parent is None), None)
        reports = [r for r in story.counting(run.iteration) if r.state != "pending"]
        reused = story.reused(run.iteration)
        before = [job for pipeline in story.pipelines for job in pipeline.jobs if job.id in reused]
        jobs = [*before, *(job for pipeline in pipelines for job in pipeline.jobs)]
        in_scope = [part.repository for part in plan.repositories] if plan else []
        return NoteView(
            run=RunId(run.id),
            issue_key=IssueKey(run.issue_key),
            issue_url=run.ticket_url,
            status=RunStatus(run.status),
            reason=run.reason,
            place=run.place,
            audience=run.audience,
            readers=readers,
            iteration=sum(one.kind == "fix" for one in story.iterations),
            iterations=policy.iterations,
            reporter=run.reporter,
            question=_question(story, reports),
            other_key=plan.duplicate_of if plan else "",
            other_url=run.ticket_url.rpartition("/")[0] + f"/{plan.duplicate_of}" if plan and run.ticket_url else "",
            summary=plan.summary if plan else "",
            cause=plan.root_cause if plan else "",
            location=plan.location if plan else None,
            risk=plan.risk if plan else "",
            risk_reason=plan.risk_reason if plan else "",
            phases=tuple(_phases(jobs, reports, above.url if above else "")),
            automation=catalogue.automation_project,
            fixes=tuple(_fix(repository, reports, above.url if above else "") for repository in in_scope),
            merge_requests=tuple(_merge_requests(story, catalogue)),
            pictures=tuple(_pictures(story)),
            remarks=tuple(sentence for repository, sentence in _remarks(story) if repository is None),
            review_remarks=tuple(
                Remark(repository=repository, sentence=sentence)
                for repository, sentence in _remarks(story)
                if repository is not None
            ),
            diagnoses=tuple(_diagnoses(story)),
            cost_usd=story.costs.total.cost_usd,
            known_usd=story.costs.total.known_usd,
            budget_usd=story.costs.budget_usd if story.costs.budget_usd is not None else policy.budget_usd.run,
            costs=tuple(PhaseCost(phase=name, cost_usd=cost.cost_usd) for name, cost in story.costs.by_phase.items()),
            pipeline_url=above.url if above else "",
            story_url=f"{self._public_url}/runs/{run.id}",
            updated_at=self._clock(),
        )


def suffix(target: str) -> str:
    """Return the end of a ticket comment's marker; empty for the status comment."""
    return "" if target == TICKET else f";{target}"


def _fate(story: Story, iteration: int) -> Fate:
    """Return the outcome of an iteration's plan that people were asked to approve."""
    after = next((one for one in story.iterations if one.number == iteration + 1), None)
    if after is not None and after.approved_by:
        return Fate.APPROVED
    waits = story.run.status == RunStatus.AWAITING_APPROVAL and story.run.iteration == iteration
    return Fate.WAITS if waits else Fate.DROPPED


def _question(story: Story, reports: list[Report]) -> str:
    """Return the question to the reporter: of a failed reproduction, of the plan, or of the readiness rules."""
    for report in reversed(reports):
        if isinstance(report.result, ReproductionResult) and report.result.question:
            return report.result.question
    return story.plan.question if story.plan else story.run.asked


def _diagnoses(story: Story) -> Iterator[str]:
    """Yield why earlier attempts at a fix failed; an answered question is no failure."""
    for before, attempt in pairwise(story.iterations):
        if attempt.diagnoses and before.kind == "fix":
            yield sentences(one for one in attempt.diagnoses if one.attempt in {0, before.number})


def _fix(repository: ProjectPath, reports: list[Report], pipeline_url: str) -> FixView:
    project, _, _ = pipeline_url.partition("/-/pipelines/")
    return replace(fixes.of(repository, reports), files=files.of(repository, reports, project_url=project))


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
            finding=fixes.finding(report) if report else "",
        )


def _merge_requests(story: Story, catalogue: Catalogue) -> Iterator[MergeRequestLine]:
    """Yield the run's merge requests in the order in which the catalogue deploys their repositories."""
    keys = {path: repository.key for path, repository in catalogue.repositories.items()}
    waves = {key: number for number, wave in enumerate(catalogue.deploy.order) for key in wave}

    def wave_of(one: MergeRequest) -> int:
        return waves.get(keys.get(ProjectPath(one.repository), ""), 0)

    for one in sorted(story.merge_requests, key=wave_of):
        target_pipeline, url = review_state.target_pipeline(story, one)
        yield MergeRequestLine(
            repository=ProjectPath(one.repository),
            iid=one.iid,
            url=one.url,
            state=one.state,
            head_sha=one.head_sha,
            target_pipeline=target_pipeline,
            target_pipeline_url=url,
            merge_blocker=one.merge_sentence if one.merge_answer in FOR_PEOPLE else "",
            is_nobody_asked=one.has_reviewer is False,
            outcome=_outcome(story, one.repository),
            wave=wave_of(one),
        )


def _outcome(story: Story, repository: str) -> str:
    found = next((one for one in story.outcomes if one.repository == repository), None)
    if found is None:
        return ""
    said = []
    if found.reverted_at is not None:
        said.append(f"The fix was taken back on {found.reverted_at:%Y-%m-%d}.")
    if found.reopened_at is not None:
        said.append(f"The ticket was opened again on {found.reopened_at:%Y-%m-%d}.")
    return " ".join(said)


def _pictures(story: Story) -> Iterator[Picture]:
    """Yield the ticket's pictures of the current iteration."""
    for one in story.pictures:
        if one.iteration == story.run.iteration:
            yield Picture(repository=ProjectPath(one.repository), filename=one.filename)


_SAME_MATTER: Final = {RefreshTicket.__name__: AdmitTicket.__name__}
"""A refresh supersedes the remark of the first read."""


def _remarks(story: Story) -> Iterator[tuple[ProjectPath | None, str]]:
    """Yield the newest remark of each kind of effect and repository."""
    said: dict[tuple[str, ProjectPath | None], str] = {}
    for act in story.effects:
        if act.state == "done":  # a later success without a remark clears an earlier one
            repository = act.payload.get("repository")
            matter = (_SAME_MATTER.get(act.kind, act.kind), ProjectPath(str(repository)) if repository else None)
            said[matter] = act.remark
    for (_, where), sentence in said.items():
        if sentence:
            yield where, sentence
