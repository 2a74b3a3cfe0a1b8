"""A run as the core sees it, its statuses, and what a decision is. Data only."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pipelines.language import (
    CommitSha,
    Diagnosis,
    IssueKey,
    Phase,
    PhaseReport,
    PipelineKey,
    PipelineKind,
    ProjectPath,
    RunId,
    Sha256,
)
from pipelines.language.pipeline_key import fix
from pipelines.language.remedy import Action
from receiver.workflow.audience import Audience
from receiver.workflow.effects import Effect
from receiver.workflow.end_codes import EndReason
from receiver.workflow.events.pipeline_events import JobId, PipelineId
from receiver.workflow.messages import NoteMessage
from receiver.workflow.person import AccountId
from receiver.workflow.remedy_state import OFFERED, RemedyState


class RunStatus(StrEnum):
    """Where a run is. The table of allowed moves is in `lifecycle`."""

    ADMITTING = "admitting"
    """The ticket is being fetched and the person checked."""
    QUEUED = "queued"
    """As many pipelines are at work as policy allows; it waits for its turn."""
    STARTING = "starting"
    """The parent pipeline is being created."""
    RUNNING = "running"
    """GitLab works on it."""
    NEEDS_INFORMATION = "needs_information"
    """Analysis asked a question on the ticket and waits for the answer."""
    AWAITING_APPROVAL = "awaiting_approval"
    """A plan waits for somebody who may start runs to approve it."""
    OPENING = "opening"
    """The patch is accepted; branch, commit and merge request are being made."""
    IN_REVIEW = "in_review"
    """A merge request waits for people."""
    PAUSED = "paused"
    """People stopped it for now: nothing is begun, and no model is called, until they resume it."""
    MERGED = "merged"
    REFUSED = "refused"
    """Never started: the person may not, or the ticket can't be worked on."""
    NOT_REPRODUCED = "not_reproduced"
    DECLINED = "declined"
    """Analysis concluded that there is nothing to fix here."""
    ESCALATED = "escalated"
    """Needs a person; the reason says why."""
    FAILED = "failed"
    """Broken by something that isn't the ticket's."""
    CANCELLED = "cancelled"
    CLOSED = "closed"
    """Somebody closed the merge request without merging."""


class PipelineView(Struct, frozen=True, kw_only=True):
    """A pipeline of the run as last known."""

    pipeline: PipelineId
    project_id: int
    kind: PipelineKind = PipelineKind.FIX
    iteration: int
    """Its number within the kind."""
    parent: PipelineId | None
    status: str

    @property
    def key(self) -> PipelineKey:
        """Return which of the run's pipelines it is, or is a child of."""
        return PipelineKey(kind=self.kind, number=self.iteration)


class JobView(Struct, frozen=True, kw_only=True):
    """A job of the run as last known."""

    job: JobId
    pipeline: PipelineId
    name: str
    status: str
    allow_failure: bool
    failure_reason: str | None = None


class MergeRequestView(Struct, frozen=True, kw_only=True):
    """A merge request of the run as last known."""

    repository: ProjectPath
    project_id: int
    iid: int
    state: str
    iteration: int | None = None
    """The attempt whose commit we put on it last; None: of a release that did not keep that."""
    confirmed: bool = True
    """Our commit is at its head, as GitLab answered; False: a hook came before that answer, nothing else is known."""
    head_sha: str = ""
    """Our commit on it, as last told."""
    approved_by: tuple[int, ...] = ()
    """GitLab's ids of users whose approval of that commit stands, while the repository's own pipeline waits for one."""

    def is_at(self, message: NoteMessage) -> bool:
        """Return whether a note stands on it."""
        return (self.project_id, self.iid) == (message.project_id, message.iid)


class Failure(Struct, frozen=True, kw_only=True):
    """How an attempt failed, as later ones are compared with it."""

    iteration: int
    signature: Sha256
    """Of what failed and how; equal for the same failure."""
    changes: dict[ProjectPath, Sha256] = {}
    """Hash of its change set, by repository."""


class Prescription(Struct, frozen=True, kw_only=True):
    """A remedy that is applied to the change of a repository."""

    repository: ProjectPath
    remedy: str
    tier: int
    confidence: Decimal
    action: Action


class RemedyView(Struct, frozen=True, kw_only=True):
    """A remedy of the run as last known."""

    iteration: int
    repository: ProjectPath
    remedy: str
    state: RemedyState
    action: Action = Action.COMMIT

    @property
    def is_offered(self) -> bool:
        """Whether it is shown beside the fix and not part of it: nothing is changed before people want it."""
        return self.action in OFFERED


class Run(Struct, frozen=True, kw_only=True):
    """All that `decide` may know of a run."""

    id: RunId
    issue_key: IssueKey
    status: RunStatus
    iteration: int
    """0 before the first attempt."""
    branch: str
    deadline: datetime | None
    since: datetime | None = None
    """When the run got into its status."""
    pipelines: tuple[PipelineView, ...] = ()
    reports: tuple[PhaseReport, ...] = ()
    """Accepted reports that count in the current iteration, the newest of each phase and repository: its own, and those
    that it reuses."""
    discarded: tuple[PhaseReport, ...] = ()
    """Reports of the current iteration that don't count: kept as the reason for people."""
    jobs: tuple[JobView, ...] = ()
    """Jobs of the current iteration's pipelines, the newest of each name."""
    merge_requests: tuple[MergeRequestView, ...] = ()
    repositories: tuple[ProjectPath, ...] = ()
    """In scope according to the accepted plan; empty before."""
    base_shas: dict[ProjectPath, CommitSha] = {}
    """The commit of each repository that the current iteration works on."""
    audience: Audience
    """Who may read what it found."""
    approved_by: AccountId | None = None
    """Who approved the plan that the current iteration carries out; None: it has one of its own."""
    diagnoses: tuple[Diagnosis, ...] = ()
    """What the current iteration was told went wrong before."""
    waits: int = 0
    """Iterations that ended in waiting for people, or in a pause: attempts at a fix are the others."""
    interruptions: int = 0
    """Iterations that runner, network or vendor ended; they count as no attempt either."""
    was_sent_back: bool = False
    """A review was made in an iteration before this one, so none sends the run back again."""
    failures: tuple[Failure, ...] = ()
    """How earlier attempts failed, oldest first."""
    is_withdrawn: bool = False
    """Its ticket was restricted after it had begun in public: nothing is carried on."""
    is_held: bool = False
    """Somebody who may set the label that pauses, and it was not taken back: nothing begins, nothing is merged."""
    paused_from: RunStatus | None = None
    """The status that it was paused in; None: it is not paused."""
    extra_usd: Decimal = Decimal(0)
    """What people let it cost beyond the budget of its catalogue."""
    remedies: tuple[RemedyView, ...] = ()
    """Those that were applied in it, oldest first."""
    healings: int = 0
    """Iterations in which remedies were applied; they count as no attempt of their own."""

    @property
    def parent(self) -> PipelineView | None:
        """Return the pipeline that was started for the current iteration, if it is known."""
        return next((p for p in self.pipelines if p.parent is None and p.key == fix(self.iteration)), None)

    @property
    def approved(self) -> bool:
        """Return whether the current iteration carries out a plan that people approved."""
        return self.approved_by is not None

    @property
    def fixes_tried(self) -> int:
        """How many iterations, with the current one, were attempts at a fix."""
        return self.iteration - self.waits - self.interruptions - self.healings

    def offers_remedy(self, repository: ProjectPath, *, iteration: int | None) -> bool:
        """Return whether an attempt was tested with a remedy that is only offered.

        Its commit is without that, and has it later by people's hands: neither was tested as a whole.
        """
        mine = (one for one in self.remedies if (one.repository, one.iteration) == (repository, iteration))
        return any(one.is_offered for one in mine)

    def report(self, phase: Phase, repository: ProjectPath | None = None) -> PhaseReport | None:
        """Return the accepted report of a phase, if there is one."""
        return next((r for r in self.reports if r.phase is phase and r.repository == repository), None)


class Learned(Struct, frozen=True, kw_only=True):
    """What the fold changed when it wrote an event, before the event is decided on."""

    is_new: bool
    """Something was told that was not known; False for a repetition, and for events that carry no knowledge."""
    was_confidential: bool
    """Whether the run was confidential before the event."""
    said_before: int = 0
    """How many commands of the same author the run took in before."""
    is_newest: bool = True
    """Whether the ticket has no newer run; told of commands only."""
    was_unlabelled: bool = False
    """Whether the start label was taken off a moment ago; told of labels only."""
    is_of_person: bool = False
    """Somebody did it who is none of our bots, as far as GitLab says."""
    was_for_people: bool = False
    """Whether the look before left people something to do; told of looks at merge requests only."""


NOTHING_LEARNED: Final = Learned(is_new=False, was_confidential=False)
"""Of an event about no run."""


class Cause(StrEnum):
    """Why an iteration begins."""

    ADMITTED = "admitted"
    """The ticket can be worked on: the first one."""
    ANSWERED = "answered"
    """The ticket was read again after a question."""
    REPLANNED = "replanned"
    """The ticket was read again instead of the plan being approved."""
    APPROVED = "approved"
    """Somebody approved the plan."""
    SENT_BACK = "sent_back"
    """A review found what must be fixed."""
    FAILED = "failed"
    """The work of the attempt before failed or was refused, and another one may mend it."""
    HEALED = "healed"
    """A known remedy mends what failed; it counts as no attempt of its own."""
    INTERRUPTED = "interrupted"
    """Runner, network or vendor failed: the same is tried again, and counts as no attempt."""
    RETRIED = "retried"
    """People want another attempt."""
    REVISED = "revised"
    """A reviewer wants something else."""
    RESUMED = "resumed"
    """People let a paused run go on."""


class Reused(Struct, frozen=True, kw_only=True):
    """An accepted report that counts in a later iteration as well."""

    phase: Phase
    repository: ProjectPath | None
    iteration: int
    """The one that it was made in."""
    key: Sha256 | None
    """What it depends on, see `attempts.reuse_key`; the phase runs again where that has changed. None: the plan, which
    people or a review kept, whatever program wrote it."""


class Attempt(Struct, frozen=True, kw_only=True):
    """A new iteration."""

    number: int
    cause: Cause
    diagnoses: tuple[Diagnosis, ...] = ()
    """What went wrong before, for the agents."""
    approved_by: AccountId | None = None
    """Who approved the plan that it carries out."""
    reuses: tuple[Reused, ...] = ()
    failure: Failure | None = None
    """How the one before failed; None: it did not."""
    remedies: tuple[Prescription, ...] = ()
    """What mends the change of the attempt before, where no agent does."""

    @property
    def keeps_plan(self) -> bool:
        """Whether it carries out the plan of the iteration before, so that nothing is analysed."""
        return any(one.phase is Phase.ANALYSIS for one in self.reuses)


class Verdict(StrEnum):
    """What became of an event, visible to people."""

    ACTED = "acted"
    NOTED = "noted"
    """Recorded, nothing to do."""
    IGNORED = "ignored"


class Answered(Struct, frozen=True, kw_only=True):
    """What somebody is told whose command was read."""

    is_obeyed: bool
    text: str


class Decision(Struct, frozen=True, kw_only=True):
    """What to do about an event, and why."""

    verdict: Verdict
    reason: str
    """A sentence for people."""
    status: RunStatus | None = None
    """The run's new status; None: unchanged."""
    end: EndReason | None = None
    """Why the run ends; set exactly when the new status is an end."""
    attempt: Attempt | None = None
    """The iteration that begins; None: the run stays in the one that it is in."""
    deadline: datetime | None = None
    """When the run is overdue from now on; None: unchanged, or none at all when the new status is an end."""
    branch: str | None = None
    """The run's branch, set before anything stands on it; None: unchanged."""
    new_run: RunId | None = None
    """Set when the event starts a run; it is created with `status` before the effects are stored."""
    answered: Answered | None = None
    """Set when the event is a command that was read."""
    extra_usd: Decimal | None = None
    """What the run may cost beyond its catalogue's budget from now on; None: unchanged."""
    is_held: bool | None = None
    """Whether the label that pauses holds the run from now on; None: unchanged."""
    asked: str | None = None
    """What people are asked before anything was spent; None: nothing."""
    effects: tuple[Effect, ...] = ()
