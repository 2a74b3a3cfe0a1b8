"""Events: what a delivery, a report or a performed effect means, in the past tense. Data only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NewType

from msgspec import Struct

from pipelines.language import CommitSha, IssueKey, PhaseReport, PipelineKind, ProjectPath, RunId
from pipelines.language.catalogue import Confidential
from pipelines.language.wire import Ticket
from receiver.comments.command_line import Command
from receiver.workflow.messages import Message, NoteMessage, TerminalMessage, TicketMessage
from receiver.workflow.person import AccountId, Directory, Person

PipelineId = NewType("PipelineId", int)
JobId = NewType("JobId", int)


class IssueLabelled(Struct, frozen=True, kw_only=True, tag=True):
    """The start label was added to a ticket: `set(to) - set(from)`, or present when the ticket was created."""

    issue_key: IssueKey
    actor: AccountId
    actor_name: str
    level: str = ""
    """The security level that the same edit gave the ticket."""
    at: datetime | None = None
    """When, by Jira's clock; None: not told."""


class LabelChange(StrEnum):
    """What people do with labels, besides setting the one that starts a run."""

    REMOVED = "removed"
    """The start label was taken off."""
    SET_AGAIN = "set again"
    """It was set again soon after that."""
    HELD = "held"
    """The label that pauses a run was set."""
    RELEASED = "released"
    """It was taken off."""


class LabelChanged(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody changed a label of a ticket that steers its run. Who may do that is asked when it is acted on."""

    issue_key: IssueKey
    change: LabelChange
    actor: AccountId
    actor_name: str


class LabelChecked(Struct, frozen=True, kw_only=True, tag=True):
    """The ticket's labels were read again, and what the person may do who changed one."""

    change: LabelChange
    author: Person
    still: bool
    """The ticket is still as the person left it."""


class StartRequested(Struct, frozen=True, kw_only=True, tag=True):
    """An operator asked for a run at the command line."""

    issue_key: IssueKey
    actor_name: str


class TicketAdmitted(Struct, frozen=True, kw_only=True, tag=True):
    """The ticket was fetched by REST and the person who asked may start runs."""

    ticket: Ticket
    base_shas: dict[ProjectPath, CommitSha]
    catalogue_sha256: str


class TicketRefused(Struct, frozen=True, kw_only=True, tag=True):
    """The ticket can't be worked on, or the person may not start runs."""

    reason: str
    """A sentence for people that says what to do next."""
    actor: AccountId | None = None
    """Who asked; None: not known."""


class IssueRestricted(Struct, frozen=True, kw_only=True, tag=True):
    """People gave the ticket of a run a security level: only some of those who see the project may read it."""

    issue_key: IssueKey
    level: str
    """The level's name; empty when Jira shows the ticket no more to us either."""


class TurnOffered(Struct, frozen=True, kw_only=True, tag=True):
    """A queued run may be the next to begin; whether it is, the queue under the lock says."""


class AttemptUnfunded(Struct, frozen=True, kw_only=True, tag=True):
    """The budget can't fund what an attempt usually costs, so its pipeline was not created."""

    iteration: int
    reason: str
    """A sentence that says by how much, and what to do."""


class PipelineStarted(Struct, frozen=True, kw_only=True, tag=True):
    """A pipeline of the run exists in GitLab: created now, or found to have been created before."""

    kind: PipelineKind = PipelineKind.FIX
    iteration: int
    """Its number within the kind; of a fix the iteration."""
    project_id: int
    pipeline: PipelineId
    url: str


class PipelineChanged(Struct, frozen=True, kw_only=True, tag=True):
    """GitLab says what state a pipeline is in."""

    project_id: int
    project: ProjectPath
    pipeline: PipelineId
    status: str
    """One of GitLab's pipeline statuses."""
    source: str
    """`api`, `parent_pipeline`, `push`, …"""
    parent: PipelineId | None
    """The pipeline that triggered this one, for a child."""
    url: str
    ref: str
    sha: str
    created_at: datetime | None
    finished_at: datetime | None


class JobChanged(Struct, frozen=True, kw_only=True, tag=True):
    """GitLab says what state a job is in."""

    project_id: int
    project: ProjectPath
    pipeline: PipelineId
    job: JobId
    name: str
    stage: str
    status: str
    """One of GitLab's job statuses."""
    allow_failure: bool
    failure_reason: str | None
    queued_s: float | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None


class ReportAccepted(Struct, frozen=True, kw_only=True, tag=True):
    """GitLab's API says that the job behind a report ended in the way that makes the report count."""

    job: JobId
    report: PhaseReport


class ReportDiscarded(Struct, frozen=True, kw_only=True, tag=True):
    """A report does not count: its job failed, was cancelled or was replaced by a newer one."""

    job: JobId
    report: PhaseReport
    reason: str


class ReportsSettled(Struct, frozen=True, kw_only=True, tag=True):
    """SettleReports was performed and every answer it gave has been decided on: no report is pending now."""

    iteration: int


class MergeRequestOpened(Struct, frozen=True, kw_only=True, tag=True):
    """The merge request exists: opened now, or updated."""

    repository: ProjectPath
    project_id: int
    iid: int
    url: str
    head_sha: CommitSha
    branch: str = ""
    """The one that it was opened from; empty: the run's."""
    held_back: bool | None = None
    """The commit is marked so that the repository's own CI leaves it alone until somebody approves; None: unchanged."""
    iteration: int | None = None
    """The attempt whose fix is committed; None: the fix is the same as before."""
    has_reviewer: bool | None = None
    """Somebody is asked for a review; None: was not looked at."""
    same_as: CommitSha | None = None
    """The head before, when this one adds nothing to it: who approved that one has approved this one."""


class MergeRequestChanged(Struct, frozen=True, kw_only=True, tag=True):
    """GitLab says that something happened to a merge request."""

    project_id: int
    project: ProjectPath
    iid: int
    action: str
    """open, close, reopen, update, approved, unapproved, approval, unapproval, merge."""
    state: str
    """opened, closed, locked, merged."""
    source_branch: str
    head_sha: str
    actor_id: int | None
    actor: str
    at: datetime | None
    source_project_id: int | None = None
    """Whose branch it is: another project's when it comes from a fork. None: not told."""
    merge_commit_sha: str = ""
    """The commit that merging made; empty before, and after a fast-forward merge, where the head is on the target."""


class MergeAnswer(StrEnum):
    """What a look at a merge request ended with."""

    MERGED = "merged"
    """By us."""
    BOARDED = "boarded"
    """It is on the project's merge train."""
    REBASE = "rebase"
    """GitLab is to rebase it first."""
    CONFLICT = "conflict"
    WAITS = "waits"
    """For something that is expected."""
    BLOCKED = "blocked"
    """Until somebody does something."""
    PEOPLE = "people"
    """People merge it, or nobody."""


class MergeJudged(Struct, frozen=True, kw_only=True, tag=True):
    """A merge request was looked at, and merged if everything let us."""

    repository: ProjectPath
    iid: int
    answer: MergeAnswer
    sentence: str
    """Why, for people."""
    head_sha: CommitSha
    """What was at its head."""
    approved_by: tuple[str, ...] = ()
    """Whose approvals count, by their names; told of a merge."""


class TargetPipelineReleased(Struct, frozen=True, kw_only=True, tag=True):
    """The repository's own CI may run what is at the head of the run's branch: no mark of ours holds it back."""

    repository: ProjectPath


class PicturesAttached(Struct, frozen=True, kw_only=True, tag=True):
    """Pictures of before and after are attached to the ticket."""

    iteration: int
    repository: ProjectPath
    files: tuple[str, ...]
    """Their names on the ticket."""


class NotePosted(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody wrote or edited a note on a merge request."""

    project_id: int
    project: ProjectPath
    iid: int
    note: int
    action: str
    """create or update."""
    system: bool
    author_id: int
    is_addressed: bool = False
    """It gives a command."""
    overtakes: bool = False
    """The command waits for nothing that is queued."""
    discussion: str = ""
    """The thread that it stands in, if GitLab said so."""
    text_sha256: str = ""
    """Of its text as told: another text later is an edit. Empty: told by a version that did not keep it."""


class NoteRead(Struct, frozen=True, kw_only=True, tag=True):
    """A note on a merge request was fetched again by its id, and so was what its author may do."""

    message: NoteMessage
    ignored: str = ""
    """Why it counts for nothing, a sentence; empty: it counts."""
    author: Person | None = None
    """None only where the note counts for nothing."""
    command: Command | None = None
    """The first one of the note; None: it commands nothing any more."""
    is_open: bool = True
    """The merge request is."""
    head_sha: str = ""
    """The commit that its author can have seen at the head; empty: another one was pushed since, or nobody knows."""


class IssueCommented(Struct, frozen=True, kw_only=True, tag=True):
    """Somebody commented on a ticket. What the comment says, and who wrote it, is asked when it is acted on."""

    issue_key: IssueKey | None
    """None when the hook does not name the issue (Jira Data Center)."""
    issue_id: str | None = None
    """Jira's number of the issue, out of the comment's address."""
    comment: str
    actor: AccountId
    is_addressed: bool = False
    """It speaks of `/bug-fix`, perhaps in a quote."""
    overtakes: bool = False
    """It gives a command that waits for nothing that is queued."""


class CommentRead(Struct, frozen=True, kw_only=True, tag=True):
    """A comment was fetched again by its id, and so was what its author may do."""

    comment: str
    ignored: str = ""
    """Why it counts for nothing, a sentence; empty: it counts."""
    author: Person | None = None
    """None only where the comment counts for nothing."""
    command: Command | None = None
    """The first one of the comment; None: it commands nothing."""
    seems_meant: bool = False
    """It has no command, but a line that may have been meant as one."""
    plan: int | None = None
    """The iteration whose plan its author can have seen: it was shown before the comment was written."""
    readers: Confidential | None = None
    """The role or group that alone may read it; None: all who see the ticket."""
    is_internal: bool = False
    """A service desk's customers don't see it."""

    @property
    def message(self) -> TicketMessage:
        """Return where it stands."""
        return TicketMessage(comment=self.comment, readers=self.readers, is_internal=self.is_internal)


class CommandTyped(Struct, frozen=True, kw_only=True, tag=True):
    """An operator gave a command at a terminal."""

    run: RunId
    issue_key: IssueKey
    """Of the run's ticket."""
    command: Command
    actor_name: str
    request: str
    """Its own id."""

    @property
    def message(self) -> TerminalMessage:
        """Return where it was said."""
        return TerminalMessage(request=self.request)

    @property
    def author(self) -> Person:
        """Return who said it."""
        name = self.actor_name
        return Person(directory=Directory.OPERATOR, account=AccountId(f"operator {name}"), name=name)


class TicketRefreshed(Struct, frozen=True, kw_only=True, tag=True):
    """A ticket whose run waited was fetched again, and the repositories' heads with it."""

    iteration: int
    """The one that begins with it."""
    ticket: Ticket
    base_shas: dict[ProjectPath, CommitSha]
    because: str
    """What made the run go on, a sentence."""
    hint: str = ""
    """What a person said who did not want the plan. Untrusted."""


class EffectGaveUp(Struct, frozen=True, kw_only=True, tag=True):
    """An effect could not be performed and won't be tried again."""

    effect: str
    """The effect's kind."""
    reason: str
    message: Message | None = None
    """What somebody said that it was to read; None: it was about something else."""


class DeadlinePassed(Struct, frozen=True, kw_only=True, tag=True):
    """A run stayed in a state that it should have left by now."""

    status: str


class NotInteresting(Struct, frozen=True, kw_only=True, tag=True):
    """A valid delivery that means nothing to us."""

    reason: str
    """For people: why it was ignored."""


Event = (
    IssueLabelled
    | LabelChanged
    | LabelChecked
    | StartRequested
    | TicketAdmitted
    | TicketRefused
    | IssueRestricted
    | TurnOffered
    | AttemptUnfunded
    | PipelineStarted
    | PipelineChanged
    | JobChanged
    | ReportAccepted
    | ReportDiscarded
    | ReportsSettled
    | MergeRequestOpened
    | TargetPipelineReleased
    | MergeJudged
    | PicturesAttached
    | MergeRequestChanged
    | NotePosted
    | NoteRead
    | IssueCommented
    | CommentRead
    | CommandTyped
    | TicketRefreshed
    | EffectGaveUp
    | DeadlinePassed
    | NotInteresting
)

__all__ = ["AccountId", "Event", "JobId", "PipelineId", "RunId"]
