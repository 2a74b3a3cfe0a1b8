"""Builders of events, reports and runs for the tests of the core."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from pipelines.language import (
    AnalysisResult,
    CommitSha,
    FixSubmission,
    GenerateResult,
    ImplementationResult,
    IssueKey,
    MergeRequestResult,
    Phase,
    PhaseReport,
    PhaseResult,
    Plan,
    PlanOutcome,
    ProjectPath,
    ReportOutcome,
    ReproductionResult,
    ReviewResult,
    RunId,
    TestingResult,
)
from pipelines.language.catalogue import Agent, Catalogue, Jira, Start, Transitions
from pipelines.language.policy import Policy
from pipelines.language.wire import Ticket
from receiver.workflow import lifecycle
from receiver.workflow.audience import Audience
from receiver.workflow.commands import command_grammar
from receiver.workflow.decide import decide
from receiver.workflow.events.event import Event
from receiver.workflow.events.merge_request_events import (
    MergeAnswer,
    MergeJudged,
    MergeRequestChanged,
    MergeRequestOpened,
    PicturesAttached,
    TargetPipelineReleased,
)
from receiver.workflow.events.message_events import CommandTyped, CommentRead, IssueCommented, NotePosted, NoteRead
from receiver.workflow.events.outcome_events import OutcomeSeen, RevertMerged
from receiver.workflow.events.pipeline_events import (
    JobChanged,
    JobId,
    PipelineChanged,
    PipelineId,
    PipelineStarted,
    ReportAccepted,
    ReportDiscarded,
    ReportsSettled,
)
from receiver.workflow.events.remedy_events import RemedyTold
from receiver.workflow.events.run_events import (
    AttemptUnfunded,
    DeadlinePassed,
    EffectGaveUp,
    NotInteresting,
    TurnOffered,
)
from receiver.workflow.events.ticket_events import (
    IssueLabelled,
    IssueRestricted,
    LabelChange,
    LabelChanged,
    LabelChecked,
    StartRequested,
    TicketAdmitted,
    TicketRefreshed,
    TicketRefused,
)
from receiver.workflow.messages import NoteMessage
from receiver.workflow.person import AccountId, Directory, Person, Right
from receiver.workflow.remedy_state import RemedyState
from receiver.workflow.run import NOTHING_LEARNED, Decision, PipelineView, Run, RunStatus
from tests.known_run import knowing
from tests.plans import a_plan

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
REPOSITORY = ProjectPath("payk12/contacts")
AUTOMATION = ProjectPath("payk12/bug-fix")
PARENT, CHILD = PipelineId(100), PipelineId(101)
SHA, PATCH, TEST = "a" * 40, "b" * 64, "c" * 64


class World:
    """What the tests say things with."""

    now = NOW
    repository = REPOSITORY
    parent, child = PARENT, CHILD
    run_id = RunId("0123456789abcdef")
    new_id = RunId("00000000000000aa")
    issue = IssueKey("PL-479")
    iid = 1
    branch = "bug-fix/PL-479-contact-creation-fails"

    catalogue = Catalogue(
        automation_project=AUTOMATION,
        automation_ref="main",
        jira=Jira(
            project="PL",
            start=Start(),
            transitions=Transitions(started="In Progress", review="In Review", merged="Done"),
        ),
        policy=Policy(),
        agents={"default": Agent(name="default", model="m")},
        repositories={},
    )

    def run(self, status: RunStatus, **changes: Any) -> Run:
        """Return a run as it typically is in a status."""
        early = status in {RunStatus.ADMITTING, RunStatus.REFUSED}
        before_pipeline = early or status in {RunStatus.QUEUED, RunStatus.STARTING}
        pipelines = (
            ()
            if before_pipeline
            else (
                PipelineView(pipeline=PARENT, project_id=1, iteration=1, parent=None, status="running"),
                PipelineView(pipeline=CHILD, project_id=1, iteration=1, parent=PARENT, status="running"),
            )
        )
        run = Run(
            id=self.run_id,
            issue_key=self.issue,
            status=status,
            iteration=0 if early else 1,
            branch="" if early else self.branch,
            deadline=lifecycle.deadline(status, now=NOW),
            since=NOW,
            audience=Audience.PUBLIC,
            pipelines=pipelines,
            repositories=() if before_pipeline else (REPOSITORY,),
        )
        if status is RunStatus.PAUSED:
            run = replace(run, paused_from=RunStatus.RUNNING)
        if status in {RunStatus.IN_REVIEW, RunStatus.MERGED, RunStatus.CLOSED}:
            run, _ = knowing(run, self.opened())
        return replace(run, **changes)

    def policy(self, **changes: Any) -> None:
        """Let the team's policy be another."""
        self.catalogue = replace(self.catalogue, policy=replace(self.catalogue.policy, **changes))

    def decide(self, event: Event, run: Run | None, *, after: timedelta = timedelta()) -> Decision:
        """Decide with everything but the event and the run fixed. The run is as it was before the event."""
        told, learned = (None, NOTHING_LEARNED) if run is None else knowing(run, event)
        return decide(event, told, learned=learned, catalogue=self.catalogue, now=NOW + after, new_id=self.new_id)

    def apply(self, run: Run, event: Event, *, after: timedelta = timedelta()) -> tuple[Run, Decision]:
        """Decide, and return the run as the store would keep it."""
        decision = self.decide(event, run, after=after)
        run, _ = knowing(run, event)
        if decision.new_run is not None:
            return run, decision
        if decision.status is not None:
            assert decision.status in lifecycle.MOVES[run.status]
            waits = run.waits + (decision.status in lifecycle.WAITING)
            paused_from = run.status if decision.status is RunStatus.PAUSED else None
            run = replace(run, status=decision.status, deadline=decision.deadline, since=NOW + after, waits=waits)
            run = replace(run, paused_from=paused_from)
        elif decision.deadline is not None:
            run = replace(run, deadline=decision.deadline)
        if decision.attempt is not None:
            was_sent_back = run.was_sent_back or run.report(Phase.REVIEW, REPOSITORY) is not None
            reused = {(one.phase, one.repository) for one in decision.attempt.reuses}
            run = replace(run, iteration=decision.attempt.number, approved_by=decision.attempt.approved_by)
            reports = tuple(one for one in run.reports if (one.phase, one.repository) in reused)
            run = replace(run, reports=reports, discarded=(), jobs=(), was_sent_back=was_sent_back)
        if decision.branch is not None:
            run = replace(run, branch=decision.branch)
        if decision.is_held is not None:
            run = replace(run, is_held=decision.is_held)
        if decision.extra_usd is not None:
            run = replace(run, extra_usd=decision.extra_usd)
        return run, decision

    def labelled(self) -> IssueLabelled:
        return IssueLabelled(issue_key=self.issue, actor=AccountId("5b10ac"), actor_name="Mara")

    def label(self, change: LabelChange) -> LabelChanged:
        return LabelChanged(issue_key=self.issue, change=change, actor=AccountId("5b10ac"), actor_name="Mara")

    def label_checked(self, change: LabelChange, *rights: Right, still: bool = True) -> LabelChecked:
        return LabelChecked(change=change, author=self.person(*rights), still=still)

    def admitted(self, summary: str = "Contact creation fails for names with an apostrophe") -> TicketAdmitted:
        ticket = Ticket(key=self.issue, summary=summary, description="")
        return TicketAdmitted(ticket=ticket, base_shas={REPOSITORY: SHA}, catalogue_sha256="d" * 64)

    def person(self, *rights: Right, name: str = "Mara", unknown_because: str = "") -> Person:
        """Return somebody in Jira."""
        return Person(
            directory=Directory.JIRA,
            account=AccountId("5b10ac"),
            name=name,
            rights=rights,
            unknown_because=unknown_because,
        )

    def read(
        self,
        command: str | None = None,
        *,
        author: Person | None = None,
        plan: int | None = 1,
        seems_meant: bool = False,
    ) -> CommentRead:
        """Return a comment that was read; of Mara, who may start runs, unless somebody else is named."""
        return CommentRead(
            comment="9",
            author=self.person(Right.START) if author is None else author,
            command=None if command is None else command_grammar.parse(f" {command}"),
            seems_meant=seems_meant,
            plan=plan,
        )

    def note(self, *, action: str = "create", is_addressed: bool = True) -> NotePosted:
        return NotePosted(
            project_id=2,
            project=REPOSITORY,
            iid=self.iid,
            note=6,
            action=action,
            system=False,
            author_id=3,
            is_addressed=is_addressed,
        )

    def note_read(
        self, command: str | None, *, level: int = 30, note: int = 6, unknown_because: str = "", **more: Any
    ) -> NoteRead:
        """Return a note that was read, of somebody with an access level in the project."""
        author = Person(
            directory=Directory.GITLAB,
            account=AccountId("3"),
            name="Mara",
            level=level,
            unknown_because=unknown_because,
        )
        said = None if command is None else command_grammar.parse(f" {command}")
        message = NoteMessage(project_id=2, iid=self.iid, note=note)
        return NoteRead(message=message, author=author, command=said, **more)

    def refreshed(self, iteration: int = 1, **ticket: Any) -> TicketRefreshed:
        return TicketRefreshed(
            iteration=iteration,
            ticket=replace(self.admitted().ticket, **ticket),
            base_shas={REPOSITORY: SHA},
            because="Dana answered on the ticket.",
        )

    def restricted(self, level: str = "School boards only") -> IssueRestricted:
        return IssueRestricted(issue_key=self.issue, level=level)

    def started(self, pipeline: int | None = None, iteration: int = 1) -> PipelineStarted:
        return PipelineStarted(
            iteration=iteration, project_id=1, pipeline=PipelineId(pipeline or self.parent), url="https://gitlab/p/100"
        )

    def pipeline(
        self, status: str, *, pipeline: int | None = None, parent: int | None = None, project: ProjectPath = AUTOMATION
    ) -> PipelineChanged:
        return PipelineChanged(
            project_id=1,
            project=project,
            pipeline=PipelineId(pipeline or self.parent),
            status=status,
            source="api" if parent is None else "parent_pipeline",
            parent=PipelineId(parent) if parent is not None else None,
            url="",
            ref="main",
            sha=SHA,
            created_at=None,
            finished_at=None,
        )

    def job(self, name: str, status: str, *, job: int = 7, pipeline: int | None = None, **changes: Any) -> JobChanged:
        event = JobChanged(
            project_id=1,
            project=AUTOMATION,
            pipeline=PipelineId(pipeline or self.child),
            job=JobId(job),
            name=name,
            stage="fix",
            status=status,
            allow_failure=False,
            failure_reason=None,
            queued_s=None,
            started_at=None,
            finished_at=None,
            duration_s=None,
        )
        return replace(event, **changes)

    def plan(self, outcome: PlanOutcome = PlanOutcome.FIX, reason: str = "Quoting by hand.", **changes: Any) -> Plan:
        return a_plan(**{"outcome": outcome, "reason": reason, "location": None} | changes)

    def planned(self, outcome: PlanOutcome = PlanOutcome.FIX, *, iteration: int = 1, **changes: Any) -> ReportAccepted:
        """Return the accepted analysis with a plan."""
        event = self.accepted(Phase.ANALYSIS, iteration=iteration)
        result = AnalysisResult(plan=self.plan(outcome, **changes))
        return replace(event, report=replace(event.report, result=result))

    def analysed(self, run: Run, outcome: PlanOutcome = PlanOutcome.FIX, **changes: Any) -> tuple[Run, Decision]:
        """Let the run's pipeline end after an analysis; return the run and the decision that this led to."""
        run, _ = self.apply(run, self.planned(outcome, iteration=run.iteration, **changes))
        parent = next(p.pipeline for p in run.pipelines if p.iteration == run.iteration and p.parent is None)
        run, _ = self.apply(run, self.pipeline("success", pipeline=parent))
        return self.apply(run, self.settled(run.iteration))

    def result(self, phase: Phase, **changes: Any) -> PhaseResult:
        results: dict[Phase, PhaseResult] = {
            Phase.ANALYSIS: AnalysisResult(plan=self.plan()),
            Phase.GENERATE: GenerateResult(jobs=("testing: payk12/contacts",), sha256=TEST),
            Phase.REPRODUCTION: ReproductionResult(
                base_sha=SHA,
                reproduced=True,
                test_path="t.py",
                test_sha256=TEST,
                failure="500",
                symptom="500",
                steps=(),
            ),
            Phase.IMPLEMENTATION: ImplementationResult(
                base_sha=SHA,
                patch_sha256=PATCH,
                files=("a.py",),
                insertions=1,
                deletions=1,
                fix=FixSubmission(summary="", files=[], risk="", rollback=""),
            ),
            Phase.TESTING: TestingResult(
                base_sha=SHA,
                patch_sha256=PATCH,
                test_sha256=TEST,
                reproduction_before_failed=True,
                reproduction_after_passed=True,
                suite=None,
                new_failures=(),
            ),
            Phase.REVIEW: ReviewResult(patch_sha256=PATCH, summary="", findings=()),
            Phase.MERGE_REQUEST: MergeRequestResult(base_sha=SHA, patch_sha256=PATCH),
        }
        return replace(results[phase], **changes)

    def report(
        self,
        phase: Phase,
        outcome: ReportOutcome = ReportOutcome.SUCCEEDED,
        *,
        reason: str = "",
        iteration: int = 1,
        **changes: Any,
    ) -> PhaseReport:
        return PhaseReport(
            run=self.run_id,
            iteration=iteration,
            phase=phase,
            repository=None if phase in {Phase.ANALYSIS, Phase.GENERATE} else REPOSITORY,
            outcome=outcome,
            reason=reason,
            result=self.result(phase, **changes),
        )

    def accepted(self, phase: Phase, outcome: ReportOutcome = ReportOutcome.SUCCEEDED, **rest: Any) -> ReportAccepted:
        return ReportAccepted(job=JobId(7), report=self.report(phase, outcome, **rest))

    def discarded(self, phase: Phase, outcome: ReportOutcome, reason: str) -> ReportDiscarded:
        report = self.report(phase, outcome, reason=reason)
        return ReportDiscarded(job=JobId(7), report=report, reason="Its job failed.")

    def settled(self, iteration: int = 1) -> ReportsSettled:
        return ReportsSettled(iteration=iteration)

    def opened(self) -> MergeRequestOpened:
        url = f"https://gitlab/mr/{self.iid}"
        return MergeRequestOpened(repository=REPOSITORY, project_id=2, iid=self.iid, url=url, head_sha=SHA)

    def merge_request(self, action: str, state: str, *, iid: int | None = None) -> MergeRequestChanged:
        return MergeRequestChanged(
            project_id=2,
            project=REPOSITORY,
            iid=iid or self.iid,
            action=action,
            state=state,
            source_branch=self.branch,
            head_sha=SHA,
            actor_id=3,
            actor="mara",
            at=NOW,
        )

    def judged(self, answer: MergeAnswer) -> MergeJudged:
        return MergeJudged(
            repository=REPOSITORY, iid=self.iid, answer=answer, sentence="So it is.", head_sha=CommitSha(SHA)
        )

    def every_kind(self) -> list[Event]:
        """Return at least one event of every kind."""
        return [
            self.labelled(),
            *(self.label(change) for change in LabelChange),
            *(
                self.label_checked(change, *rights, still=still)
                for change in LabelChange
                for rights in ((), (Right.START,))
                for still in (True, False)
            ),
            StartRequested(issue_key=self.issue, actor_name="op"),
            self.admitted(),
            TicketRefused(reason="Mara may not start runs."),
            self.restricted(),
            TurnOffered(),
            AttemptUnfunded(iteration=1, reason="The run's budget can't fund it."),
            self.started(),
            self.started(pipeline=999),
            *(self.pipeline(status) for status in lifecycle.STATUSES),
            *(self.pipeline(status, pipeline=CHILD, parent=PARENT) for status in lifecycle.STATUSES),
            self.pipeline("a_status_of_2031"),
            *(self.job("testing: payk12/contacts", status) for status in lifecycle.STATUSES),
            *(self.accepted(phase) for phase in (Phase.ANALYSIS, Phase.REPRODUCTION, Phase.TESTING)),
            self.accepted(Phase.MERGE_REQUEST),
            self.accepted(Phase.REPRODUCTION, ReportOutcome.NOT_REPRODUCED, reason="It works."),
            self.discarded(Phase.TESTING, ReportOutcome.REJECTED, "Two tests fail."),
            self.settled(),
            self.opened(),
            *(self.judged(answer) for answer in MergeAnswer),
            TargetPipelineReleased(repository=REPOSITORY),
            *(
                RemedyTold(iteration=1, repository=REPOSITORY, state=state, sentence="So it is.")
                for state in RemedyState
            ),
            RevertMerged(project_id=2, iid=1, by_iid=2),
            RevertMerged(project_id=2, iid=9, by_iid=2),
            OutcomeSeen(repository=REPOSITORY),
            OutcomeSeen(repository=REPOSITORY, reverted_at=NOW, reverted_by="d" * 40, reopened_at=NOW),
            PicturesAttached(iteration=1, repository=REPOSITORY, files=("before.png",)),
            self.merge_request("open", "opened"),
            self.merge_request("merge", "merged"),
            self.merge_request("close", "closed"),
            NotePosted(project_id=2, project=REPOSITORY, iid=1, note=5, action="create", system=False, author_id=3),
            self.note(),
            self.note(action="update"),
            *(self.note_read(word, level=level) for word in ("approve", "status", "reboot") for level in (0, 30)),
            self.note_read(None),
            CommandTyped(
                run=self.run_id,
                issue_key=self.issue,
                command=command_grammar.parse(" cancel"),
                actor_name="op",
                request="1",
            ),
            IssueCommented(issue_key=None, comment="1", actor=AccountId("x")),
            IssueCommented(issue_key=None, comment="1", actor=AccountId("x"), is_addressed=True),
            *(
                self.read(command, author=self.person(*rights))
                for command in (None, "approve")
                for rights in ((), *((right,) for right in Right))
            ),
            self.read(author=self.person(unknown_because="Jira answered 403.")),
            self.read("approve", author=self.person(unknown_because="Jira answered 403.")),
            self.read("reboot"),
            CommentRead(comment="9", ignored="The comment is our own."),
            self.refreshed(),
            self.refreshed(iteration=2),
            EffectGaveUp(effect="StartPipeline", reason="GitLab said 403."),
            EffectGaveUp(effect="UpdateTicketNote", reason="Jira said 403."),
            *(DeadlinePassed(status=status) for status in RunStatus),
            NotInteresting(reason="A tag was pushed."),
        ]


@pytest.fixture
def world() -> World:
    return World()
