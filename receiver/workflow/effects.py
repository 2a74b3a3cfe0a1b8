"""Effects: what to do about an event, in the imperative. Data only.

What is said about each kind is its row in `effect_table`; `receiver.outbound` performs them. Each is idempotent under
its key: performing it twice has the result of performing it once.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from pipelines.language import CommitSha, IssueKey, PipelineKind, ProjectPath
from pipelines.language.catalogue import Confidential
from receiver.workflow.events.merge_request_events import MergeRequestChanged
from receiver.workflow.events.pipeline_events import PipelineChanged, PipelineId
from receiver.workflow.events.ticket_events import LabelChange
from receiver.workflow.messages import NoteMessage, TicketMessage
from receiver.workflow.person import AccountId


class Effect(Struct, frozen=True, kw_only=True, tag=True):
    """Something to do in GitLab or Jira."""


class AdmitTicket(Effect, frozen=True, kw_only=True):
    """Fetch the ticket and the repositories' heads, check that the actor may start runs; ends in an event."""

    issue_key: IssueKey
    actor: AccountId | None
    """None: an operator at the command line, who may."""


class RefreshTicket(Effect, frozen=True, kw_only=True):
    """Fetch the ticket and the repositories' heads again, for a run that waited; ends in an event."""

    iteration: int
    """The one that is to begin with it."""
    actor: AccountId | None
    """Who set the label again, and has to be checked; None: was checked, or an operator."""
    is_for_starters: bool = False
    """The reporter's word is not enough any more: only those who may start runs make it go on."""
    because: str
    """What makes the run go on, a sentence."""
    hint: str = ""
    """What a person said who did not want the plan. Untrusted."""


class ReadComment(Effect, frozen=True, kw_only=True):
    """Fetch a comment on the ticket and ask what its author may do; ends in an event."""

    comment: str
    overtakes: bool = False
    """It gives a command that waits for nothing that is queued."""

    @property
    def message(self) -> TicketMessage:
        """Return what is read."""
        return TicketMessage(comment=self.comment)


class _AboutNote(Effect, frozen=True, kw_only=True):
    """Something to do about a note on a merge request."""

    project_id: int
    iid: int
    note: int
    discussion: str = ""
    """The thread that it stands in; empty: none, or not known."""

    @property
    def message(self) -> NoteMessage:
        """Return what it is about."""
        return NoteMessage(project_id=self.project_id, iid=self.iid, note=self.note, discussion=self.discussion)


class ReadNote(_AboutNote, frozen=True, kw_only=True):
    """Fetch a note on a merge request and ask what its author may do; ends in an event."""

    text_sha256: str = ""
    """Of its text as it was told; empty: not known."""
    overtakes: bool = False
    """It gives a command that waits for nothing that is queued."""


class ReactToNote(_AboutNote, frozen=True, kw_only=True):
    """Show on a note at once that it was seen: eyes."""


class CheckLabel(Effect, frozen=True, kw_only=True):
    """Read the ticket's labels and ask what the person may do who changed one; ends in an event."""

    change: LabelChange
    actor: AccountId
    actor_name: str
    due_in_s: float = 0
    """Seconds to wait first: people take a label off by mistake, and set it again."""


class PollTicket(Effect, frozen=True, kw_only=True):
    """Look at the ticket of a run: comments and labels that are news, and a security level, are told as by a hook."""


class AskReporter(Effect, frozen=True, kw_only=True):
    """Ask the plan's question on the ticket, in a comment of its own."""

    iteration: int


class PostPlan(Effect, frozen=True, kw_only=True):
    """Show the plan that waits for approval on the ticket, in a comment of its own, and what became of it."""

    iteration: int


class AnswerTopic(StrEnum):
    """What an answer tells."""

    SENTENCE = "sentence"
    """What its text says."""
    STATUS = "status"
    COST = "cost"
    EXPLAIN = "explain"
    HELP = "help"


class AnswerComment(Effect, frozen=True, kw_only=True):
    """Answer a command on the ticket, once; who may read the comment may read the answer."""

    comment: str
    text: str
    topic: AnswerTopic = AnswerTopic.SENTENCE
    author: AccountId = AccountId("")
    name: str = ""
    """The author's, for people: others may have commented since."""
    may_start: bool = False
    """The author is one of those who may start runs."""
    readers: Confidential | None = None
    """The role or group that alone may read it; None: all who see the ticket."""
    is_internal: bool = False
    """A service desk's customers don't see it."""


class AnswerNote(_AboutNote, frozen=True, kw_only=True):
    """Answer a command on a merge request, once, in the thread that it was said in."""

    text: str
    topic: AnswerTopic = AnswerTopic.SENTENCE
    author: AccountId = AccountId("")
    name: str = ""
    """The author's, for people."""
    may_steer: bool = False
    """The author is a developer of the project."""


class StartPipeline(Effect, frozen=True, kw_only=True):
    """Create the parent pipeline of an iteration, or find the one that a crash left behind."""

    iteration: int
    due_in_s: int = 0
    """Seconds after which it may begin."""


class OfferTurn(Effect, frozen=True, kw_only=True):
    """Let a queued run begin if it is its turn and its ticket still has the label; ends in an event."""


class CancelPipeline(Effect, frozen=True, kw_only=True):
    """Cancel a pipeline and its children."""

    kind: PipelineKind = PipelineKind.FIX
    project_id: int
    pipeline: PipelineId
    reason: str


class ConfirmStopped(Effect, frozen=True, kw_only=True):
    """Ask GitLab until a cancelled pipeline and its children are over; report jobs that still run after a while."""

    kind: PipelineKind = PipelineKind.FIX
    project_id: int
    pipeline: PipelineId
    until: datetime


class SettleReports(Effect, frozen=True, kw_only=True):
    """Ask GitLab how the jobs behind pending reports ended; each answer is a ReportAccepted or ReportDiscarded.

    Ends with a ReportsSettled, after those, when no report is pending any more. The ends of jobs that it is told of
    meanwhile come first, each as the JobChanged that its hook would have been.
    """

    iteration: int
    of_pipeline: tuple[int, PipelineId] | None = None
    """Project and pipeline of a job that ended, as a hook says: GitLab is asked about it in any case."""


class PollGitLab(Effect, frozen=True, kw_only=True):
    """Ask GitLab how the iteration's pipelines and the run's merge requests are.

    Each answer is the PipelineChanged or MergeRequestChanged that a hook would have been: heals lost and early hooks.
    """

    iteration: int
    asks_for_end: bool = False
    """Ask for the rest only when the status of the first pipeline is news: one request while nothing ends."""


class PollMergeRequest(Effect, frozen=True, kw_only=True):
    """Ask GitLab what happened to a merge request: its state, its head, approvals, notes.

    Each answer is the MergeRequestChanged or NotePosted that a hook would have been.
    """

    project_id: int
    iid: int
    updated_at: datetime
    """When it was last changed, by GitLab's clock."""


class Confirm(Effect, frozen=True, kw_only=True):
    """Ask GitLab whether a pipeline or merge request is the run's and as a hook tells; the answer is the event, if any.

    A hook proves no more than that its sender knows a secret, and a run's end can't be taken back.
    """

    told: PipelineChanged | MergeRequestChanged


class OpenMergeRequest(Effect, frozen=True, kw_only=True):
    """Commit the accepted patch to the run's branch and open or update the merge request."""

    iteration: int
    repository: ProjectPath


class OpenDraft(Effect, frozen=True, kw_only=True):
    """Commit partial work of a run that was handed over, and open a draft merge request for it."""

    iteration: int
    repository: ProjectPath


class NeutraliseMergeRequest(Effect, frozen=True, kw_only=True):
    """Let title and description of a merge request say nothing of what was found: the run became confidential."""

    repository: ProjectPath


class StartTargetPipeline(Effect, frozen=True, kw_only=True):
    """Let the repository's own CI run the fix, now that somebody approved it: a commit without the mark follows.

    Who approved, and whether that still holds for this head, is asked when it is performed.
    """

    iteration: int
    repository: ProjectPath
    head_sha: str
    """What was approved."""
    approved_by: int
    """GitLab's user id."""
    is_asked: bool = False
    """By a command: nobody approved, and who asked has to be a developer."""


class MergeWhenReady(Effect, frozen=True, kw_only=True):
    """Look at everything that decides on the merge of a merge request, and merge it if all of that lets us."""

    iteration: int
    repository: ProjectPath


class RebaseMergeRequest(Effect, frozen=True, kw_only=True):
    """Let GitLab rebase the branch of a merge request onto its target, if this still is its head."""

    iteration: int
    repository: ProjectPath
    head_sha: CommitSha


class ShowRemedies(Effect, frozen=True, kw_only=True):
    """Make the remedies that a merge request offers stand on its head: post what is missing, replace what is dead."""

    repository: ProjectPath


class RemedyAnswer(StrEnum):
    """What people say of a remedy."""

    ACCEPT = "accept"
    REJECT = "reject"


class AnswerRemedy(Effect, frozen=True, kw_only=True):
    """Commit a remedy that somebody wants to the branch of the open merge request, or take it off it."""

    iteration: int
    """In which it was made."""
    repository: ProjectPath
    answer: RemedyAnswer
    who: str
    """For people."""
    reason: str = ""
    """What they said. Untrusted."""


class AttachEvidence(Effect, frozen=True, kw_only=True):
    """Attach the pictures of before and after to the ticket, where links to GitLab's uploads don't render."""

    iteration: int
    repository: ProjectPath


class UpdateTicketNote(Effect, frozen=True, kw_only=True):
    """Make the one status comment on the ticket tell the truth; written anew if somebody deleted it."""


class UpdateMergeRequestNote(Effect, frozen=True, kw_only=True):
    """Make the one status note on a merge request tell the truth; written anew if somebody deleted it."""

    repository: ProjectPath


class HandOver(Effect, frozen=True, kw_only=True):
    """Make comment, notes, label and assignee tell whether people have to go on with the run."""


class WatchOutcome(Effect, frozen=True, kw_only=True):
    """Look whether a merged fix was taken back or its ticket opened again, and what people think of it."""

    repository: ProjectPath


class RemindTicket(Effect, frozen=True, kw_only=True):
    """Remind people on the ticket, in a comment of its own, of a run that waits for them."""

    text: str
    since: datetime
    """When it began to wait."""


class CommentRefusal(Effect, frozen=True, kw_only=True):
    """Say once on the ticket why nothing was started, or why a label changes nothing."""

    issue_key: IssueKey
    text: str
    heading: str = "not started"
    author: AccountId | None = None
    """Who is told; None: not known."""


class TransitionIssue(Effect, frozen=True, kw_only=True):
    """Move the ticket by the offered transition that leads to this status, if there is one."""

    to_status: str


class LinkTicket(Effect, frozen=True, kw_only=True):
    """Put a remote link on the ticket."""

    global_id: str
    """Jira updates the link that has this id instead of adding one."""
    url: str
    title: str
